"""Generates the checked-in schemas: each subgraph's SDL, the supergraph, the clients' schema, and
the JSON Schemas of events.

The Strawberry classes and the payload classes are the source. Subgraph names and addresses come
from `supergraph.yaml`; the result depends on nothing else, so the same code always gives the same
bytes.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import print_schema

from router.composition import ConfigError, SubgraphInput, compose, read_config
from router.supergraph import load_supergraph
from shared.errors import OperatorError
from shared.events import event_schemas
from socialnet.domains import Domain, events_of, subgraph_sdl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SchemaExportError", "StaleFile", "find_stale", "generate_schemas", "write_schemas"]

_EVENTS = "events"


class SchemaExportError(OperatorError):
    """The subgraphs do not make a supergraph, or `supergraph.yaml` does not list them."""


@dataclass(frozen=True, slots=True)
class StaleFile:
    """A file that is missing or differs from what the code gives. ``text``: None, the code gives
    no such file.
    """

    text: str | None
    diff: str


def generate_schemas(config: Path) -> Mapping[str, str]:
    """Return the text of every generated file by its path below `schema/`.

    Raises:
        SchemaExportError: `config` does not fit the domains, or composition fails.
    """
    sdls = {str(domain): _ending_in_newline(subgraph_sdl(domain)) for domain in Domain}
    addresses = _read_addresses(config)
    if set(addresses) != set(sdls):
        message = f"{config} lists {_names(addresses)}, the code has {_names(sdls)}."
        raise SchemaExportError(message)
    result = compose([SubgraphInput(name, url, sdls[name]) for name, url in addresses.items()])
    if result.supergraph_sdl is None:
        errors = "\n".join(map(str, result.errors))
        message = f"The subgraphs do not compose:\n{errors}"
        raise SchemaExportError(message)
    api = print_schema(load_supergraph(result.supergraph_sdl).api_schema)
    return {
        **{f"subgraphs/{name}.graphql": sdl for name, sdl in sdls.items()},
        "supergraph.graphql": _ending_in_newline(result.supergraph_sdl),
        "api.graphql": _ending_in_newline(api),
        **{f"{_EVENTS}/{name}": text for name, text in _event_schemas().items()},
    }


def find_stale(directory: Path, generated: Mapping[str, str]) -> Mapping[str, StaleFile]:
    """Compare the files below `directory` with what they should be.

    A schema of an event that the code does not have is stale too.
    """
    events = (file.relative_to(directory) for file in (directory / _EVENTS).glob("*"))
    stale = {}
    for name in sorted({*generated, *(file.as_posix() for file in events)}):
        file = directory / name
        present = file.read_text("utf-8") if file.exists() else None
        text = generated.get(name)
        if present != text:
            diff = difflib.unified_diff(
                (present or "").splitlines(keepends=True),
                (text or "").splitlines(keepends=True),
                fromfile=str(file),
                tofile="generated",
            )
            stale[name] = StaleFile(text, "".join(diff))
    return stale


def write_schemas(directory: Path, stale: Mapping[str, StaleFile]) -> None:
    """Write the files that were stale, and remove those that should not be."""
    for name, each in stale.items():
        file = directory / name
        if each.text is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(each.text, encoding="utf-8")


def _event_schemas() -> Mapping[str, str]:
    """The schemas of all domains' events, by file name.

    Raises:
        SchemaExportError: two domains have an event of the same name.
    """
    schemas: dict[str, str] = {}
    for domain in Domain:
        own = event_schemas(events_of(domain))
        if taken := schemas.keys() & own.keys():
            raise SchemaExportError(f"{domain} repeats events of others: {', '.join(taken)}.")
        schemas |= own
    return schemas


def _read_addresses(config: Path) -> dict[str, str]:
    """Subgraph names and routing URLs, in the order of the file."""
    try:
        subgraphs = read_config(config).subgraphs
    except ConfigError as error:
        raise SchemaExportError("\n".join(map(str, error.errors))) from error
    return {name: subgraph.url for name, subgraph in subgraphs.items()}


def _names(names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _ending_in_newline(text: str) -> str:
    return text.rstrip("\n") + "\n"
