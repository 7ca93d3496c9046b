"""Nulls, wrong values and errors in the response: what the specification and the design ask for."""

from __future__ import annotations

from typing import Any

import pytest

from router.executor import ExecutionErrorCode as Code
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, execute_plan

SDL = """
    type Query { thing: Thing things: [Thing!] node: Node color: Color colors: [Color] must:
    Thing! any: Any } interface Node { id: ID! } type Thing implements Node {
      id: ID! text: String! count: Int ratio: Float flag: Boolean list: [Int!] grid: [[String]]
      child: Thing needed: Thing! color: Color! note: String other: String
    }
    type Hidden implements Node { id: ID! }
    enum Color { RED GREEN SECRET }
    scalar Any
"""
API_SDL = SDL.replace("type Hidden implements Node { id: ID! }", "").replace(" SECRET", "")
SUPERGRAPH = PlainSupergraph(SDL, API_SDL)


async def execute(query: str, data: Any, errors: list[Any] | None = None) -> tuple[Any, list[Any]]:
    answer = {"data": data} if errors is None else {"data": data, "errors": errors}
    result = await execute_plan(
        SUPERGRAPH, query, query_plan(fetch(0, "things", query)), {"things": answer}
    )
    return result.data, result.errors


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 1),
        ("text", {"secret": "x"}),
        ("count", "1"),
        ("count", 2**31),
        ("count", 1.5),
        ("count", True),
        ("ratio", "0.5"),
        ("ratio", True),
        ("flag", 1),
        ("id", 1.5),
        ("id", True),
        ("list", 5),
        ("list", [1, "2"]),
        ("grid", [["a"], "b"]),
        ("grid", {"a": 1}),
    ],
)
async def test_a_value_of_another_type_is_null_with_an_error(field: str, value: Any) -> None:
    data, errors = await execute(f"{{ thing {{ {field} }} }}", {"thing": {field: value}})

    assert data in ({"thing": None}, {"thing": {field: None}}, {"thing": {"grid": [["a"], None]}})
    (error,) = errors
    assert error["path"][:2] == ["thing", field]
    assert error["extensions"] == {
        "code": Code.SUBREQUEST_MALFORMED_RESPONSE,
        "service": "things",
    }
    assert "secret" not in error["message"]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("id", 7, "7"),
        ("count", 3.0, 3),
        ("ratio", 3, 3),
        ("list", [], []),
        ("grid", [["a", None], None, []], [["a", None], None, []]),
    ],
)
async def test_values_are_shown_as_their_type_writes_them(
    field: str, value: Any, shown: Any
) -> None:
    data, errors = await execute(f"{{ thing {{ {field} }} }}", {"thing": {field: value}})

    assert errors == []
    assert data == {"thing": {field: shown}}


async def test_custom_scalars_are_passed_on_whatever_they_are() -> None:
    data, errors = await execute("{ any }", {"any": {"a": [1, None, {"b": True}]}})

    assert (data, errors) == ({"any": {"a": [1, None, {"b": True}]}}, [])


@pytest.mark.parametrize("thing", ["text", 5, [], [{"text": "a"}], True])
async def test_what_is_no_object_is_null_with_an_error(thing: Any) -> None:
    data, errors = await execute("{ thing { text } }", {"thing": thing})

    assert data == {"thing": None}
    assert [(error["path"], error["extensions"]["code"]) for error in errors] == [
        (["thing"], Code.SUBREQUEST_MALFORMED_RESPONSE)
    ]


async def test_a_missing_key_is_null_with_an_error() -> None:
    data, errors = await execute("{ thing { count flag } }", {"thing": {"flag": True}})

    assert data == {"thing": {"count": None, "flag": True}}
    assert [(error["path"], error["extensions"]) for error in errors] == [
        (
            ["thing", "count"],
            {"code": Code.SUBREQUEST_MALFORMED_RESPONSE, "service": "things"},
        )
    ]


async def test_null_where_none_may_be_propagates_and_is_told_once() -> None:
    data, errors = await execute(
        "{ thing { child { needed { needed { text } } note } note } }",
        {
            "thing": {
                "child": {"needed": {"needed": {"text": None}}, "note": "a"},
                "note": "b",
            }
        },
    )

    assert data == {"thing": {"child": None, "note": "b"}}
    assert errors == [
        {
            "message": "Cannot return null for non-nullable field Thing.text.",
            "path": ["thing", "child", "needed", "needed", "text"],
            "extensions": {"code": Code.NON_NULL_VIOLATION},
        }
    ]


async def test_null_in_a_list_of_non_nulls_nulls_the_list() -> None:
    data, errors = await execute(
        "{ things { id } thing { list } }",
        {"things": [{"id": "1"}, None], "thing": {"list": [1, None]}},
    )

    assert data == {"things": None, "thing": {"list": None}}
    assert [error["path"] for error in errors] == [["things", 1], ["thing", "list", 1]]


async def test_null_propagates_to_data() -> None:
    data, errors = await execute("{ must { text } color }", {"must": {"text": None}, "color": None})

    assert data is None
    assert [error["path"] for error in errors] == [["must", "text"]]


async def test_inaccessible_enum_values_are_null_without_an_error() -> None:
    data, errors = await execute(
        "{ color colors }", {"color": "SECRET", "colors": ["RED", "SECRET"]}
    )

    assert (data, errors) == ({"color": None, "colors": ["RED", None]}, [])


async def test_inaccessible_enum_value_that_must_not_be_null_propagates() -> None:
    data, errors = await execute("{ thing { color } }", {"thing": {"color": "SECRET"}})

    assert data == {"thing": None}
    assert [error["extensions"]["code"] for error in errors] == [Code.NON_NULL_VIOLATION]
    assert "SECRET" not in errors[0]["message"]


async def test_unknown_enum_values_are_null_with_an_error() -> None:
    data, errors = await execute("{ color colors }", {"color": "BLUE", "colors": [["RED"], "RED"]})

    assert data == {"color": None, "colors": [None, "RED"]}
    assert [(error["path"], error["extensions"]["code"]) for error in errors] == [
        (["color"], Code.SUBREQUEST_MALFORMED_RESPONSE),
        (["colors", 0], Code.SUBREQUEST_MALFORMED_RESPONSE),
    ]


async def test_objects_of_inaccessible_types_are_null_without_an_error() -> None:
    data, errors = await execute(
        "{ node { __typename id } }", {"node": {"__typename": "Hidden", "id": "1"}}
    )

    assert (data, errors) == ({"node": None}, [])


@pytest.mark.parametrize("typename", ["Nothing", "Query", 5, None])
async def test_objects_of_unknown_types_are_null_with_an_error(typename: Any) -> None:
    data, errors = await execute(
        "{ node { __typename id } }", {"node": {"__typename": typename, "id": "1"}}
    )

    assert data == {"node": None}
    assert len(errors) == 1
    assert errors[0]["path"][0] == "node"


async def test_a_null_that_the_subgraph_explains_is_not_told_again() -> None:
    told = {"message": "no text today", "path": ["thing", "needed", "text"]}

    data, errors = await execute(
        "{ thing { needed { text } } }", {"thing": {"needed": None}}, [told]
    )

    assert data == {"thing": None}
    assert errors == [
        {
            "message": "no text today",
            "path": ["thing", "needed", "text"],
            "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "things"},
        }
    ]


async def test_an_error_elsewhere_does_not_hide_a_null() -> None:
    told = {"message": "no note", "path": ["thing", "note"]}

    data, errors = await execute(
        "{ thing { text note } }", {"thing": {"text": None, "note": None}}, [told]
    )

    assert data == {"thing": None}
    assert [error["path"] for error in errors] == [["thing", "note"], ["thing", "text"]]


async def test_a_field_that_nobody_was_asked_for_is_null() -> None:
    plan = query_plan(fetch(0, "things", "{ thing { id } }"))

    result = await execute_plan(
        SUPERGRAPH, "{ thing { note } }", plan, {"things": {"data": {"thing": {"id": "1"}}}}
    )

    assert (result.data, result.errors) == ({"thing": {"note": None}}, [])


async def test_the_first_source_with_a_value_counts() -> None:
    plan = query_plan(
        fetch(0, "a", "{ thing { id note } }"),
        fetch(1, "b", call("thing", {"Thing": "id"}, "{ ... on Thing { note other } }"), after=[0]),
    )

    result = await execute_plan(
        SUPERGRAPH,
        "{ thing { note other } }",
        plan,
        {
            "a": {"data": {"thing": {"id": "1", "note": None}}},
            "b": {"data": {"_entities": [{"note": "from b", "other": "o"}]}},
        },
    )

    assert (result.data, result.errors) == ({"thing": {"note": "from b", "other": "o"}}, [])


async def test_lists_of_different_length_are_joined_as_far_as_they_go() -> None:
    plan = query_plan(fetch(0, "a", "{ things { note } }"), fetch(1, "b", "{ things { other } }"))

    result = await execute_plan(
        SUPERGRAPH,
        "{ things { note other } }",
        plan,
        {
            "a": {"data": {"things": [{"note": "1"}, {"note": "2"}]}},
            "b": {"data": {"things": [{"other": "1"}]}},
        },
    )

    assert result.data == {"things": [{"note": "1", "other": "1"}, {"note": "2", "other": None}]}
