"""Errors about what several subgraphs say name the lines in each."""

from __future__ import annotations

import pytest

from router.composition import SubgraphInput, compose

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'


def _errors(**sdls: str) -> list[str]:
    result = compose([SubgraphInput(n, f"http://{n}", LINK + sdl) for n, sdl in sdls.items()])
    return [str(error) for error in result.errors]


def test_a_type_of_two_kinds_is_shown_in_both_subgraphs() -> None:
    (error,) = _errors(a="type Query { t: T }\ntype T { x: Int }", b="enum T { X }")

    assert error.startswith("TYPE_KIND_MISMATCH: ")
    assert error.endswith(" (line 3 of a, line 2 of b)")


@pytest.mark.parametrize(
    ("a", "b", "lines"),
    [
        (
            'type Query { t: T }\ntype T @key(fields: "id") {\nid: ID!\n\nx: Int\n}',
            'type T @key(fields: "id") {\nid: ID!\nx: String\n}',
            "(line 6 of a, line 4 of b)",
        ),
        (
            "type Query { t(i: I, e: Int): Int }\ninput I {\nx: Int\n}",
            "input I {\nx: String\n}",
            "(line 4 of a, line 3 of b)",
        ),
    ],
    ids=["field", "input field"],
)
def test_the_lines_are_those_of_the_member(a: str, b: str, lines: str) -> None:
    assert any(error.endswith(lines) for error in _errors(a=a, b=b)), _errors(a=a, b=b)


def test_an_error_of_one_subgraph_keeps_its_line() -> None:
    (error,) = _errors(a='type Query { t: T }\ntype T @key(fields: "no") {\nid: ID!\n}')

    assert error.count("line ") == 1
    assert error.endswith("(line 3)")
