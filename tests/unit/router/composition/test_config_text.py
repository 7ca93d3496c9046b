"""YAML with lines and variables: what is kept of the places, and what is refused."""

from __future__ import annotations

import pytest

from router.composition.config_text import ConfigTextError, parse_config_text


def test_values_know_their_lines_and_so_does_what_is_missing_in_them() -> None:
    text = parse_config_text("a:\n  b: 1\n  c:\n    - x\n    - y\n", {})

    assert text.value == {"a": {"b": 1, "c": ["x", "y"]}}
    assert text.line_of(("a", "b")) == 2
    assert text.line_of(("a", "c", 1)) == 5
    assert text.line_of(("a", "d", "e")) == 1
    assert text.line_of(("z",)) == 1


def test_nothing_has_no_lines() -> None:
    text = parse_config_text("# only a comment\n", {})

    assert (text.value, text.line_of(("a",))) == (None, None)


def test_variables_are_filled_in_strings_and_not_in_keys() -> None:
    source = "a: ${env.X}-${env.Y:-none}-${env.EMPTY:-x}\n${env.X}: $x ${X}"

    text = parse_config_text(source, {"X": "1", "EMPTY": ""})

    assert text.value == {"a": "1-none-", "${env.X}": "$x ${X}"}


def test_a_value_that_contains_itself_ends() -> None:
    text = parse_config_text("a: &a\n  - b\n  - *a\n", {})

    assert text.value["a"][1] is text.value["a"]


def test_merge_keys_may_repeat_what_they_bring() -> None:
    text = parse_config_text("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  a: 3\n", {})

    assert text.value["y"] == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("source", "problem", "line"),
    [
        ("a: 1\nb: [", "not YAML", 2),
        ("a: 1\nb: 2\na: 3", "a is given twice", 3),
        ("a:\n  b: 1\n  b: 1", "a.b is given twice", 3),
        ("a: 1\nb: ${env.NOPE}", "the variable NOPE is not set", 2),
        ("a: \x00", "not YAML", None),
        ("a: 2020-13-45", "not YAML", None),
        ("? [a]\n: 1", "not YAML", 1),
        ("a: !!python/object:os.system x", "not YAML", 1),
        ("[" * 5000, "nested too deeply", None),
    ],
)
def test_what_is_wrong_is_said_with_its_line(source: str, problem: str, line: int | None) -> None:
    with pytest.raises(ConfigTextError) as caught:
        parse_config_text(source, {})

    assert problem in caught.value.problem
    assert caught.value.line == line
