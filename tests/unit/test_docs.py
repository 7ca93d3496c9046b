"""What the documents say exists: commands, files, settings, metrics and error codes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from pydantic_settings import BaseSettings

import shared.events.kafka.metrics
import shared.events.relay_metrics
import shared.limits
import shared.revocations
import shared.sharding.metrics  # noqa: F401 - these register metrics
from router.executor.errors import ExecutionErrorCode
from router.federation.codes import ErrorCode as CompositionErrorCode
from router.federation.hints import HintCode, HintLevel
from router.planner.errors import PlanningErrorCode
from router.server.errors import RequestErrorCode
from router.server.settings import RouterSettings
from router.server.subscriptions.ending import SubscriptionEndCode
from router.server.telemetry import Metrics
from router.server.websocket.messages import CloseCode
from router.supergraph.errors import SupergraphErrorCode
from shared.errors import ErrorCode
from shared.settings import ServiceSettings
from subgraphs.posts.settings import PostsSettings
from subgraphs.users.settings import UsersSettings
from tests.support.command_lines import check_command_line

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations.md"
ROUTER = ROOT / "docs/router.md"
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(
            file
            for folder in ("benchmarks", "deploy", "examples", "tests")
            for file in (ROOT / folder).rglob("*.md")
            if "node_modules" not in file.parts
        ),
    ]
)
_FENCED: Final = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def _id(document: Path) -> str:
    return str(document.relative_to(ROOT))


def _section(document: Path, heading: str) -> str:
    """The text below a heading, to the next one of any level."""
    _, found, rest = document.read_text().partition(f"\n{heading}\n")
    assert found, f"{_id(document)} has no {heading!r}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of a section's table rows, without heads and rulers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    ruler = next(index for index, line in enumerate(lines) if set(line) <= set("|- "))
    for line in lines[ruler + 1 :]:
        if not set(line) <= set("|- "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _first_cells(document: Path, heading: str) -> list[str]:
    return [row[0].strip("`") for row in _rows(_section(document, heading))]


# Links


def _anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_relative_links_lead_somewhere() -> None:
    links = [
        (document, link)
        for document in DOCUMENTS
        for link in _LINK.findall(_FENCED.sub("", document.read_text()))
        if not re.match(r"[a-z]+:", link)
    ]

    assert len(links) > 30
    assert [(_id(document), link) for document, link in links if not _leads(document, link)] == []


def _leads(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in _anchors(target)


def test_named_source_files_exist() -> None:
    folders = "router|shared|subgraphs|socialnet|migrations|schema|docs|tests|examples"
    pattern = rf"`((?:{folders})/[\w./-]+\.(?:py|md|yaml|graphql))`"
    names = [
        (_id(document), name)
        for document in DOCUMENTS
        for name in re.findall(pattern, document.read_text())
    ]

    assert len(names) > 10
    assert [(where, name) for where, name in names if not (ROOT / name).exists()] == []


# Commands


def _commands() -> Iterator[str]:
    """Every line of a code block and every inline code of every document."""
    for document in DOCUMENTS:
        text = document.read_text()
        for block in _FENCED.findall(text):
            yield from (part for line in block.splitlines() for part in line.split("&&"))
        yield from _INLINE.findall(_FENCED.sub("", text))


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    call = re.compile(r"\s*(?:[A-Z_]+=\S+ +)*make((?: +[a-z][a-z-]*)+)\s*(?:[A-Z]+=|#|$)")

    named = {
        target
        for command in _commands()
        if (words := call.match(command))
        for target in words[1].split()
    }

    assert {"dev", "test"} <= named
    assert named - targets == set()


def test_our_programs_take_the_commands_in_the_documents() -> None:
    call = re.compile(
        r"\s*(?:(\S*python3? -m )(router)|(?:\S*python3? -m )?(socialnet)) ([a-z][^|]*)"
    )
    checked = 0

    for command in _commands():
        if (words := call.match(command)) is None:
            continue
        arguments = shlex.split(words[4], comments=True)
        if "…" in arguments or len(arguments) == 1:
            continue  # the command is only named, not shown in use
        check_command_line(words[2] or words[3], arguments)
        checked += 1

    assert checked >= 10


# Settings


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = to_jsonable_python(field.get_default(call_default_factory=True, validated_data={}))
    if value is None:
        return "none"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _documented(document: Path, heading: str) -> dict[str, str]:
    return {row[0].strip("`"): row[1] for row in _rows(_section(document, heading))}


def _expected(
    settings: type[BaseSettings], prefix: str, without: type[BaseSettings] = BaseSettings
) -> dict[str, str]:
    inherited = without.model_fields
    return {
        f"{prefix}{name.upper()}": _default(field)
        for name, field in settings.model_fields.items()
        if name not in inherited
    }


def test_all_settings_of_subgraphs_are_documented_with_their_defaults() -> None:
    common = _expected(ServiceSettings, "<SERVICE>_")

    assert _documented(OPERATIONS, "### Every subgraph") == common
    for settings, prefix, heading in (
        (UsersSettings, "USERS_", "### users"),
        (PostsSettings, "POSTS_", "### posts"),
    ):
        own = _expected(settings, prefix, ServiceSettings)
        assert _documented(OPERATIONS, heading) == own
        for name in ServiceSettings.model_fields:  # no subgraph has another default
            expected = common[f"<SERVICE>_{name.upper()}"]
            assert _default(settings.model_fields[name]) == expected


def test_all_settings_of_the_router_are_documented_with_their_defaults() -> None:
    assert _documented(ROUTER, "## Settings") == _expected(RouterSettings, "ROUTER_")


# Metrics


def _metrics(registry: CollectorRegistry, prefix: str) -> dict[str, str]:
    """Names as they are exposed, and labels."""
    found = {}
    for collector in list(registry._collector_to_names):
        metric = next(iter(collector.collect()), None)
        if metric is not None and metric.name.startswith(prefix):
            suffix = "_total" if metric.type == "counter" else ""
            found[f"{metric.name}{suffix}"] = ", ".join(getattr(collector, "_labelnames", ()))
    return found


def test_all_metrics_are_documented_with_their_labels() -> None:
    router = Metrics(max_operation_labels=1).registry
    for registry, prefix, document, heading in (
        (REGISTRY, "socialnet_", OPERATIONS, "## Health, readiness, metrics"),
        (router, "router_", ROUTER, "## Metrics"),
    ):
        rows = {
            row[0].strip("`"): row[1].partition(":")[0]
            for row in _rows(_section(document, heading))
            if row[0].startswith(f"`{prefix}")
        }
        assert rows
        assert rows == _metrics(registry, prefix)


# Error codes


def _values(*enums: type[Enum]) -> list[str]:
    return sorted(str(member.value) for enum in enums for member in enum)


@pytest.mark.parametrize(
    ("heading", "enums"),
    [
        ("### Requests that are refused", [RequestErrorCode, PlanningErrorCode]),
        ("### Fields that failed", [ExecutionErrorCode]),
        ("### Subscriptions that the router ends", [SubscriptionEndCode]),
        ("### WebSocket close codes", [CloseCode]),
        ("### Loading a supergraph", [SupergraphErrorCode]),
    ],
)
def test_all_error_codes_of_the_router_are_documented(
    heading: str, enums: Sequence[type[Enum]]
) -> None:
    assert sorted(_first_cells(ROUTER, heading)) == _values(*enums)


def test_all_composition_codes_are_documented_with_their_descriptions() -> None:
    errors, hints = _section(ROUTER, "### Composition").split("All hints")

    assert {row[0].strip("`"): row[1] for row in _rows(errors)} == {
        code.value: code.description for code in CompositionErrorCode
    }
    assert {row[0]: set(_INLINE.findall(row[1])) for row in _rows(hints)} == {
        level.value: {hint.value for hint in HintCode if hint.level is level} for level in HintLevel
    }


def test_all_error_codes_of_the_api_are_documented() -> None:
    heading = "## Error codes of the API"
    reserved = _section(OPERATIONS, heading).partition("Reserved")[2]
    named = [*_first_cells(OPERATIONS, heading), *_INLINE.findall(reserved)]

    assert sorted(named) == _values(ErrorCode)
