"""Errors of subgraphs and failed fetches, in the client's terms."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router.executor import (
    ExecutionErrorCode,
    ExecutorSettings,
    RequestContext,
    SubgraphPolicy,
    SubgraphResponse,
    TransportError,
)
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, ScriptedTransport, execute_plan

SHOP = PlainSupergraph(
    """
    type Query { products: [Product] best: Product me: User stock: Int! }
    type Product { upc: ID! name: String price: Int must: Int! owner: User parts: [Part] }
    type Part { label: String }
    type User { id: ID! name: String! }
    """
)
PRODUCTS = {"data": {"products": [{"upc": "1"}, {"upc": "2"}, {"upc": "1"}]}}


def plan_for(selection: str, call_selection: str) -> Any:
    return query_plan(
        fetch(0, "products", f"{{ products {{ upc {selection} }} }}"),
        fetch(
            1,
            "prices",
            call("products[]", {"Product": "upc"}, f"{{ ... on Product {{ {call_selection} }} }}"),
            after=[0],
        ),
    )


async def test_entity_numbers_become_the_paths_of_all_objects_that_were_meant() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { cost: price } }",
        plan_for("", '_cost: price @as(key: "cost")'),
        {
            "products": PRODUCTS,
            "prices": {
                "data": {"_entities": [{"_cost": None}, {"_cost": 2}]},
                "errors": [{"message": "no price", "path": ["_entities", 0, "_cost"]}],
            },
        },
    )

    assert result.data == {"products": [{"cost": None}, {"cost": 2}, {"cost": None}]}
    extensions = {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "prices"}
    assert result.errors == [
        {"message": "no price", "path": ["products", 0, "cost"], "extensions": extensions},
        {"message": "no price", "path": ["products", 2, "cost"], "extensions": extensions},
    ]


async def test_paths_go_down_to_nested_lists_and_end_where_the_client_did_not_ask() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { parts { label } } }",
        plan_for("", "parts { label } name"),
        {
            "products": {"data": {"products": [{"upc": "1"}]}},
            "prices": {
                "data": {"_entities": [{"parts": [{"label": None}], "name": None}]},
                "errors": [
                    {"message": "a", "path": ["_entities", 0, "parts", 0, "label"]},
                    {"message": "b", "path": ["_entities", 0, "name"]},
                    {"message": "c", "path": ["_entities", 0]},
                ],
            },
        },
    )

    assert [(error["message"], error["path"]) for error in result.errors] == [
        ("a", ["products", 0, "parts", 0, "label"]),
        ("b", ["products", 0]),
        ("c", ["products", 0]),
    ]


@pytest.mark.parametrize(
    "error",
    [
        {"message": "m"},
        {"message": "m", "path": None},
        {"message": "m", "path": "_entities"},
        {"message": "m", "path": ["_entities"]},
        {"message": "m", "path": ["_entities", "x"]},
        {"message": "m", "path": ["something", 0]},
    ],
)
async def test_errors_without_a_usable_path_are_put_at_the_objects_of_the_fetch(
    error: dict[str, Any],
) -> None:
    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        plan_for("", "price"),
        {"products": PRODUCTS, "prices": {"data": None, "errors": [error]}},
    )

    assert [one["path"] for one in result.errors] == [["products", n] for n in range(3)]
    assert result.data == {"products": [{"price": None}] * 3}


async def test_root_errors_keep_their_path_or_have_none() -> None:
    result = await execute_plan(
        SHOP,
        "{ top: best { name } me { name } }",
        query_plan(fetch(0, "a", "{ top: best { name } me { name } }")),
        {
            "a": {
                "data": {"top": {"name": None}, "me": None},
                "errors": [
                    {"message": "a", "path": ["top", "name"]},
                    {"message": "b"},
                    {"message": "c", "path": ["me", "name"]},
                ],
            }
        },
    )

    assert result.data == {"top": {"name": None}, "me": None}
    assert [(error["message"], error.get("path")) for error in result.errors] == [
        ("a", ["top", "name"]),
        ("b", None),
        ("c", ["me", "name"]),
    ]


@pytest.mark.parametrize("error", ["text", None, 5, {}, {"message": 5}, []])
async def test_what_is_no_error_is_still_told(error: Any) -> None:
    result = await execute_plan(
        SHOP,
        "{ me { name } }",
        query_plan(fetch(0, "a", "{ me { name } }")),
        {"a": {"data": {"me": None}, "errors": [error]}},
    )

    assert result.errors == [
        {
            "message": "The subgraph reported an error without a message.",
            "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "a"},
        }
    ]


async def test_only_allowed_extensions_reach_the_client() -> None:
    error = {
        "message": "no",
        "path": ["me"],
        "extensions": {
            "code": "NOT_FOUND",
            "field": "id",
            "stacktrace": ["at /srv/app.py"],
            "service": "spoofed",
        },
        "locations": [{"line": 1, "column": 2}],
    }
    plan = query_plan(fetch(0, "a", "{ me { name } }"))
    answer = {"a": {"data": {"me": None}, "errors": [error]}}

    result = await execute_plan(SHOP, "{ me { name } }", plan, answer)
    masked = await execute_plan(
        SHOP,
        "{ me { name } }",
        plan,
        answer,
        settings=ExecutorSettings(error_extensions=frozenset()),
    )

    assert result.errors == [
        {
            "message": "no",
            "path": ["me"],
            "extensions": {"code": "NOT_FOUND", "field": "id", "service": "a"},
        }
    ]
    assert masked.errors[0]["extensions"] == {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "a"}


HTML = b"<html><body>Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (TransportError("The subgraph cannot be reached."), "SUBREQUEST_HTTP_ERROR"),
        (TimeoutError(), "SUBGRAPH_TIMEOUT"),
        (SubgraphResponse(502, HTML), "SUBREQUEST_HTTP_ERROR"),
        (SubgraphResponse(500, b"{}"), "SUBREQUEST_HTTP_ERROR"),
        (SubgraphResponse(302, b""), "SUBREQUEST_HTTP_ERROR"),
        (SubgraphResponse(404, b'{"detail": "Not Found"}'), "SUBREQUEST_HTTP_ERROR"),
        (SubgraphResponse(200, HTML), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b'{"data": {"me": {"na'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b""), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b"[]"), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b'{"data": null}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b'{"data": []}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b'{"errors": []}'), "SUBREQUEST_MALFORMED_RESPONSE"),
        (SubgraphResponse(200, b'{"data": {}, "errors": {}}'), "SUBREQUEST_MALFORMED_RESPONSE"),
    ],
)
async def test_a_fetch_that_fails_nulls_what_depends_on_it_with_one_error(
    answer: Any, code: str
) -> None:
    result = await execute_plan(
        SHOP,
        "{ me { name } best { name } }",
        query_plan(fetch(0, "a", "{ me { name } }"), fetch(1, "b", "{ best { name } }")),
        {"a": answer, "b": {"data": {"best": {"name": "x"}}}},
    )

    assert result.data == {"me": None, "best": {"name": "x"}}
    (error,) = result.errors
    assert error["path"] == ["me"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["service"] == "a"
    assert "html" not in error["message"].lower()


@pytest.mark.parametrize("status", [400, 401, 500, 503])
async def test_an_error_status_with_a_graphql_response_counts_as_the_response(status: int) -> None:
    body = b'{"data": {"me": null}, "errors": [{"message": "who?", "path": ["me"]}]}'

    result = await execute_plan(
        SHOP,
        "{ me { name } }",
        query_plan(fetch(0, "a", "{ me { name } }")),
        {"a": SubgraphResponse(status, body)},
    )

    assert result.data == {"me": None}
    assert [error["message"] for error in result.errors] == ["who?"]


async def test_failed_entity_fetch_is_told_at_each_object_and_nulls_propagate_silently() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { upc must } }",
        plan_for("", "must"),
        {"products": PRODUCTS, "prices": TransportError("gone")},
    )

    assert result.data == {"products": [None, None, None]}
    assert [error["path"] for error in result.errors] == [["products", n] for n in range(3)]
    assert {error["message"] for error in result.errors} == {"gone"}


async def test_a_failed_fetch_does_not_explain_the_nulls_of_another() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { price must } }",
        plan_for("must", "price"),
        {
            "products": {"data": {"products": [{"upc": "1", "must": None}]}},
            "prices": TransportError("gone"),
        },
    )

    assert result.data == {"products": [None]}
    assert [(error["path"], error["extensions"]["code"]) for error in result.errors] == [
        (["products", 0], "SUBREQUEST_HTTP_ERROR"),
        (["products", 0, "must"], "NON_NULL_VIOLATION"),
    ]


async def test_what_waited_for_a_failed_fetch_is_not_asked_and_not_told_again() -> None:
    names = ScriptedTransport([{"data": {"_entities": []}}])

    result = await execute_plan(
        SHOP,
        "{ products { owner { name } price } stock }",
        query_plan(
            fetch(0, "products", "{ products { upc } stock }"),
            fetch(
                1,
                "owners",
                call("products[]", {"Product": "upc"}, "{ ... on Product { owner { id } } }"),
                after=[0],
            ),
            fetch(
                2,
                "names",
                call("products[].owner", {"User": "id"}, "{ ... on User { name } }"),
                after=[1],
            ),
        ),
        {
            "products": {"data": {"products": [{"upc": "1"}], "stock": 4}},
            "owners": SubgraphResponse(503, b"busy"),
            "names": names,
        },
    )

    assert result.data == {"products": [{"owner": None, "price": None}], "stock": 4}
    assert [(error["path"], error["extensions"]) for error in result.errors] == [
        (
            ["products", 0],
            {
                "code": "SUBREQUEST_HTTP_ERROR",
                "service": "owners",
                "http": {"status": 503},
            },
        )
    ]
    assert names.requests == []


@pytest.mark.parametrize(
    "entities", [None, {}, [], [{"price": 1}], [{"price": 1}, {"price": 2}, {"price": 3}], "x"]
)
async def test_an_entity_list_that_does_not_fit_is_malformed(entities: Any) -> None:
    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        plan_for("", "price"),
        {"products": PRODUCTS, "prices": {"data": {"_entities": entities}}},
    )

    assert result.data == {"products": [{"price": None}] * 3}
    assert [error["extensions"]["code"] for error in result.errors] == [
        "SUBREQUEST_MALFORMED_RESPONSE"
    ] * 3


async def test_an_entity_that_is_no_object_is_null_with_an_error() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        plan_for("", "price"),
        {"products": PRODUCTS, "prices": {"data": {"_entities": ["x", {"price": 2}]}}},
    )

    assert result.data == {"products": [{"price": None}, {"price": 2}, {"price": None}]}
    assert [(error["path"], error["extensions"]["code"]) for error in result.errors] == [
        (["products", 0, "price"], "SUBREQUEST_MALFORMED_RESPONSE"),
        (["products", 2, "price"], "SUBREQUEST_MALFORMED_RESPONSE"),
    ]


async def test_a_subgraph_that_takes_too_long_times_out() -> None:
    slow = ScriptedTransport([{"data": {"me": None}}], hold=asyncio.Event())

    result = await execute_plan(
        SHOP,
        "{ me { name } }",
        query_plan(fetch(0, "a", "{ me { name } }")),
        {"a": slow},
        settings=ExecutorSettings(policies={"a": SubgraphPolicy(timeout=0.01)}),
    )

    assert result.data == {"me": None}
    assert result.errors[0]["extensions"]["code"] == ExecutionErrorCode.SUBGRAPH_TIMEOUT
    assert slow.cancelled == 1


async def test_the_deadline_of_the_request_bounds_every_fetch() -> None:
    slow = ScriptedTransport([{"data": {"me": None}}], hold=asyncio.Event())

    result = await execute_plan(
        SHOP,
        "{ me { name } }",
        query_plan(fetch(0, "a", "{ me { name } }")),
        {"a": slow},
        context=RequestContext(deadline=asyncio.get_running_loop().time() + 0.01),
    )

    assert result.errors[0]["extensions"]["code"] == ExecutionErrorCode.SUBGRAPH_TIMEOUT
