"""Measuring documents, and refusing the ones that are too large."""

import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest
from graphql import FieldNode, FragmentSpreadNode, parse
from graphql import FragmentDefinitionNode as Fragment
from graphql import OperationDefinitionNode as Operation
from hypothesis import given, settings
from hypothesis import strategies as st

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.document import (
    DocumentLimits,
    DocumentSize,
    check_document,
    measure_document,
)
from router.server.settings import RouterSettings

GENEROUS = DocumentLimits(
    definitions=10**9,
    depth=10**9,
    fragment_depth=10**9,
    height=10**9,
    aliases=10**9,
    root_fields=10**9,
    directives=10**9,
    input_depth=10**9,
    literal_values=10**9,
)
DEFAULT = DocumentLimits.of(RouterSettings())


def _size(text: str) -> DocumentSize:
    return measure_document(parse(text))


def test_all_measures_of_a_document() -> None:
    size = _size(
        """
        query A($filter: Filter = {or: [{a: 1}]}) @live {
          first: user(id: [1]) { name ...U @include(if: true) }
          ...Q
          ... { __typename }
        }
        fragment Q on Query { user { ...U } posts @a @b }
        fragment U on User { n: name friends { ... on User { name } } }
        query B { x }
        """
    )

    assert size == DocumentSize(
        definitions=4,
        depth=3,
        fragment_depth=3,
        height=11,
        aliases=3,
        root_fields=4,
        directives=4,
        input_depth=3,
        literal_values=4,
    )


CASES: list[tuple[str, RequestErrorCode, Callable[[int], str]]] = [
    ("definitions", RequestErrorCode.MAX_DEFINITIONS_LIMIT, lambda n: "query A { a } " * n),
    ("depth", RequestErrorCode.MAX_DEPTH_LIMIT, lambda n: "{ a " * n + "}" * n),
    ("depth", RequestErrorCode.MAX_DEPTH_LIMIT, lambda n: (
        "{ ...F } fragment F on T { " + "a { " * (n - 1) + "a" + "}" * n)),
    ("fragment_depth", RequestErrorCode.MAX_FRAGMENT_DEPTH_LIMIT, lambda n: (
        "{" + "... {" * n + "a" + "}" * n + "}")),
    ("fragment_depth", RequestErrorCode.MAX_FRAGMENT_DEPTH_LIMIT, lambda n: (
        "{...F1}" + "".join(f"fragment F{i} on T {{ ...F{i + 1} }}" for i in range(1, n))
        + f"fragment F{n} on T {{ a }}")),
    ("height", RequestErrorCode.MAX_HEIGHT_LIMIT, lambda n: "{" + "a " * n + "}"),
    ("aliases", RequestErrorCode.MAX_ALIASES_LIMIT, lambda n: "{ b a {" + "c: a " * n + "} }"),
    ("root_fields", RequestErrorCode.MAX_ROOT_FIELDS_LIMIT, lambda n: (
        "{ a { b c d } ... {" + "a " * (n - 2) + "} ...F } fragment F on T { a { b } }")),
    ("directives", RequestErrorCode.MAX_DIRECTIVES_LIMIT, lambda n: (
        "query($v: Int @c) { a " + "@d " * (n - 3) + "... @d {a} ...F @d } fragment F on T { a }")),
    ("input_depth", RequestErrorCode.MAX_INPUT_DEPTH_LIMIT, lambda n: (
        "{ a(b: " + "[" * n + "]" * n + ") }")),
    ("input_depth", RequestErrorCode.MAX_INPUT_DEPTH_LIMIT, lambda n: (
        "query($v: V = " + "{v: " * n + "1" + "}" * n + ") { a }")),
    ("literal_values", RequestErrorCode.MAX_LITERAL_VALUES_LIMIT, lambda n: (
        "{ a(b: [" + "1 " * (n - 4) + "]) ...F ...F } fragment F on T { a @d(e: {f: [1]}) }")),
]  # fmt: skip


@pytest.mark.parametrize(("measure", "code", "document"), CASES)
def test_a_limit_holds_from_the_first_beyond_it(
    measure: str, code: RequestErrorCode, document: Callable[[int], str]
) -> None:
    limits = DocumentLimits(**dict.fromkeys(DocumentSize.__slots__, 10**9) | {measure: 10})

    check_document(parse(document(9)), limits)
    check_document(parse(document(10)), limits)
    with pytest.raises(RequestError) as caught:
        check_document(parse(document(11)), limits)

    assert caught.value.code == code
    assert caught.value.well_formed
    assert "more than 10 " in str(caught.value)


def test_fragments_that_none_uses_and_other_operations_count() -> None:
    assert _size("query A { a } query B { b c }").height == 2
    assert _size("{ a } fragment F on T { b c }").height == 2


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F } fragment F on T { a ...F }",
        "{ ...F } fragment F on T { a ...G } fragment G on T { b ...F }",
        "{ ...Missing }",
        "{ ...F } fragment F on T { a } fragment F on T { b }",
        "type T { a: Int } { a }",
    ],
)
def test_documents_that_validation_will_refuse_are_measured_all_the_same(text: str) -> None:
    assert _size(text).definitions == text.count("}") - text.count("{ }")
    check_document(parse(text), GENEROUS)


def _calls(work: Callable[[], Any]) -> int:
    """How many Python functions are called meanwhile."""
    count = 0

    def count_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    previous = sys.getprofile()
    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(previous)
    return count


def _laughs(levels: int) -> str:
    steps = "".join(f"fragment F{i} on T {{ ...F{i + 1} ...F{i + 1} }} " for i in range(1, levels))
    return "{ ...F1 }" + steps + f"fragment F{levels} on T {{ a: b }}"


def _cycle(length: int) -> str:
    names = [*range(length), 0]
    steps = "".join(f"fragment F{i} on T {{ a ...F{j} ...F{j} }} " for i, j in pairwise(names))
    return "{ ...F0 }" + steps


def _all_in_all(number: int) -> str:
    spreads = " ".join(f"...F{i}" for i in range(number))
    return "{ a }" + "".join(f"fragment F{i} on T {{ {spreads} }} " for i in range(number))


@pytest.mark.parametrize(
    ("hostile", "steps"),
    [(_laughs, (100, 200, 800)), (_cycle, (100, 200, 800)), (_all_in_all, (10, 20, 60))],
)
def test_the_work_is_linear_in_the_document(
    hostile: Callable[[int], str], steps: tuple[int, ...]
) -> None:
    def calls_per_character(number: int) -> float:
        text = hostile(number)
        document = parse(text)
        return _calls(lambda: measure_document(document)) / len(text)

    first, *others = map(calls_per_character, steps)

    assert all(other < first * 1.5 for other in others)


def test_doubling_fragments_are_counted_exactly_and_refused() -> None:
    document = parse(_laughs(200))

    assert measure_document(document).height == 2**199
    assert measure_document(document).aliases == 2**199
    with pytest.raises(RequestError) as caught:
        check_document(document, DEFAULT)
    assert len(str(caught.value)) < 100


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents without cycles: a fragment spreads later ones only."""
    number = draw(st.integers(0, 4))

    def selections(level: int, first: int) -> str:
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            kinds = ["a", "b: a", "a @d"] + ["field", "inline"] * (level < 3)
            kinds += ["spread"] * (first < number)
            match draw(st.sampled_from(kinds)):
                case "field":
                    parts.append(f"a {selections(level + 1, first)}")
                case "inline":
                    parts.append(f"... on T @d {selections(level + 1, first)}")
                case "spread":
                    parts.append(f"...F{draw(st.integers(first, number - 1))}")
                case leaf:
                    parts.append(leaf)
        return "{ " + " ".join(parts) + " }"

    fragments = [f"fragment F{i} on T {selections(0, i + 1)}" for i in range(number)]
    return "\n".join([selections(0, 0), *fragments])


def _walk(node: Any, fragments: dict[str, Any], depth: int, inside: int) -> list[Any]:
    """Every selection with the places where it stands, fragments spread out one by one."""
    found = []
    for child in node.selection_set.selections:
        found.append((child, depth, inside))
        if isinstance(child, FieldNode):
            if child.selection_set:
                found += _walk(child, fragments, depth + 1, inside)
        elif isinstance(child, FragmentSpreadNode):
            found += _walk(fragments[child.name.value], fragments, depth, inside + 1)
        else:
            found += _walk(child, fragments, depth, inside + 1)
    return found


@settings(deadline=None)
@given(documents())
def test_agrees_with_spreading_the_fragments_out(text: str) -> None:
    document = parse(text)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, Fragment)}

    def measures(definition: Any) -> dict[str, int]:
        everything = _walk(definition, fragments, 0, 0)
        fields = [entry for entry in everything if isinstance(entry[0], FieldNode)]
        return {
            "depth": max(depth + 1 for _, depth, _ in fields),
            "fragment_depth": max(
                inside + (not isinstance(node, FieldNode)) for node, _, inside in everything
            ),
            "height": len(fields),
            "aliases": sum(node.alias is not None for node, _, _ in fields),
            "root_fields": sum(depth == 0 for _, depth, _ in fields)
            * isinstance(definition, Operation),
            "directives": sum(len(node.directives or ()) for node, _, _ in everything),
        }

    each = [measures(definition) for definition in document.definitions]
    size = measure_document(document)
    for measure in each[0]:
        assert getattr(size, measure) == max(one[measure] for one in each), measure
