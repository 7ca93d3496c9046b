"""Field sets: parsed, printed, refused."""

from __future__ import annotations

import pytest
from graphql import FieldNode

from router.federation.field_sets import (
    FieldSetError,
    parse_field_set,
    print_field_set,
    walk_selections,
)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("id", "id"),
        ("  id\n  name ", "id name"),
        ("{ id name }", "id name"),
        ("a { b { c } d } e", "a { b { c } d } e"),
        ("i { ... on A { x } ... { y } }", "i { ... on A { x } ... { y } }"),
        ('f(a: 1, b: "x") { g }', 'f(a: 1, b: "x") { g }'),
        ("a @include(if: true)", "a @include(if: true)"),
    ],
)
def test_a_field_set_is_printed_on_one_line(text: str, printed: str) -> None:
    assert print_field_set(parse_field_set(text)) == printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("{}", "empty"),
        ("a { b {} }", "empty selection"),
        ("a {", "Expected Name"),
        ("a } { b", "more than one"),
        ("{ a } mutation { b }", "more than one"),
        ("...F", 'named fragment "F"'),
        ("a { b: c }", 'alias "b"'),
    ],
)
def test_what_is_no_field_set_is_refused(text: str, message: str) -> None:
    with pytest.raises(FieldSetError, match=message):
        parse_field_set(text)


def test_selections_are_walked_parents_first() -> None:
    selections = walk_selections(parse_field_set("a { ... on B { c } d } e"))

    names = [item.name.value if isinstance(item, FieldNode) else "..." for item in selections]
    assert names == ["a", "...", "c", "d", "e"]
