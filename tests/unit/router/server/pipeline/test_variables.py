"""Variables against their definitions."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.inputs import InputLimits
from router.server.pipeline.variables import VariableReader

SCHEMA = build_schema(
    """
    scalar Json
    enum Color { RED GREEN }
    input Filter { text: String!, color: Color = RED, nested: Filter }
    input OneOf @oneOf { a: Int, b: Int }
    type Query { a(b: Float, c: Boolean): Int }
    """
)

LIMITS = InputLimits(depth=5, values=20)


def _reader(definitions: str, *, suggestions: bool = True) -> VariableReader:
    operation = parse(f"query ({definitions}) {{ a }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return VariableReader(SCHEMA, operation, limits=LIMITS, suggestions=suggestions)


@pytest.mark.parametrize(
    ("definitions", "given", "expected"),
    [
        ("$a: Int", {}, {}),
        ("$a: Int", {"a": None}, {"a": None}),
        ("$a: Int = 3", {}, {"a": 3}),
        ("$a: Int = 3", {"a": None}, {"a": None}),
        ("$a: Int! = 3", {}, {"a": 3}),
        ("$a: Color = GREEN", {}, {"a": "GREEN"}),
        ('$a: Filter = {text: "x"}', {}, {"a": {"text": "x"}}),
        ("$a: Filter", {"a": {"text": "x"}}, {"a": {"text": "x"}}),
        ("$a: [Int]", {"a": 1}, {"a": 1}),
        ("$a: Json", {"a": {"any": [1, None]}}, {"a": {"any": [1, None]}}),
        ("$a: Boolean = true, $b: Float", {"b": 1, "c": 2}, {"a": True, "b": 1}),
    ],
)
def test_passes_the_clients_own_json_on_completed_with_defaults(
    definitions: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert _reader(definitions).read(given) == expected


@pytest.mark.parametrize(
    ("definitions", "given", "words"),
    [
        ("$a: Int!", {}, "$a"),
        ("$a: Int!", {"a": None}, "$a"),
        ("$a: Int! = 3", {"a": None}, "$a"),
        ("$a: Int", {"a": "1"}, "$a"),
        ("$a: Int", {"a": 2**40}, "$a"),
        ("$a: Color", {"a": "BLUE"}, "BLUE"),
        ("$a: Filter", {"a": {}}, "text"),
        ("$a: Filter", {"a": {"text": "x", "other": 1}}, "other"),
        ("$a: Filter", {"a": {"text": "x", "nested": {"text": 1}}}, "nested.text"),
        ("$a: OneOf", {"a": {"a": 1, "b": 2}}, "OneOf"),
    ],
)
def test_refuses_wrong_values_and_says_which(
    definitions: str, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(RequestError) as caught:
        _reader(definitions).read(given)

    assert caught.value.code == RequestErrorCode.BAD_USER_INPUT
    assert caught.value.well_formed
    assert words in caught.value.errors[0]["message"]
    assert caught.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_every_wrong_variable_is_reported() -> None:
    with pytest.raises(RequestError) as caught:
        _reader("$a: Int!, $b: Int!").read({"a": "x"})

    assert len(caught.value.errors) == 2


@pytest.mark.parametrize("type_", ["Filter", "Json"])
@pytest.mark.parametrize("depth", [6, 300, 1000, 5000])
def test_values_nested_too_deeply_are_refused(type_: str, depth: int) -> None:
    value: dict[str, Any] = {"text": "x"}
    for _ in range(depth - 1):
        value = {"text": "x", "nested": value}

    with pytest.raises(RequestError) as caught:
        _reader(f"$a: {type_}").read({"a": value})

    assert caught.value.code == RequestErrorCode.MAX_INPUT_DEPTH_LIMIT
    assert caught.value.well_formed


def test_undeclared_variables_are_not_looked_at() -> None:
    assert _reader("$a: Int").read({"a": 1, "b": [0] * 1000}) == {"a": 1}


def test_a_type_that_the_schema_lacks_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        _reader("$a: ID")

    assert caught.value.code == RequestErrorCode.GRAPHQL_VALIDATION_FAILED


def test_suggestions_can_be_switched_off() -> None:
    with pytest.raises(RequestError) as caught:
        _reader("$a: Color", suggestions=False).read({"a": "RE"})

    assert "RED" not in str(caught.value)
