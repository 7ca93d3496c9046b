"""Execution of hand-written plans: what is asked of subgraphs, and how their answers are joined."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router.executor import ExecutorSettings, ProgramError, RequestContext
from router.planner.plan import Condition, OperationKind, RepresentationSpec
from tests.federation.harness.plans import call, fetch, query_plan, representation_fields
from tests.federation.harness.scripted import (
    PlainSupergraph,
    ScriptedTransport,
    execute_plan,
    program_of,
)

SHOP = PlainSupergraph(
    """
    type Query { products: [Product!]! me: User product(upc: ID!): Product search: [Result] }
    type Mutation { first: Int second: Int third: Product }
    type Product {
      upc: ID! name: String price: Int size: Size owner: User related: [Product] tags: [String!]
    }
    type Size { height: Int width: Int depth: Int }
    type User { id: ID! name: String products: [Product] }
    union Result = Product | User
    """
)
PRICES = query_plan(
    fetch(0, "products", "{ products { upc name } }"),
    fetch(
        1,
        "prices",
        call("products[]", {"Product": "upc"}, "{ ... on Product { price } }"),
        after=[0],
    ),
)


async def test_entities_are_fetched_once_each_and_joined_by_key() -> None:
    products = [
        {"upc": "1", "name": "Table"},
        {"upc": "2", "name": "Chair"},
        {"upc": "1", "name": "Table"},
    ]
    prices = ScriptedTransport([{"data": {"_entities": [{"price": 10}, {"price": 20}]}}])

    result = await execute_plan(
        SHOP,
        "{ products { price name __typename } }",
        PRICES,
        {"products": {"data": {"products": products}}, "prices": prices},
    )

    assert result.errors == []
    assert result.data == {
        "products": [
            {"price": 10, "name": "Table", "__typename": "Product"},
            {"price": 20, "name": "Chair", "__typename": "Product"},
            {"price": 10, "name": "Table", "__typename": "Product"},
        ]
    }
    assert list(result.data["products"][0]) == ["price", "name", "__typename"]
    (request,) = prices.requests
    assert request["variables"]["representations"] == [
        {"__typename": "Product", "upc": "1"},
        {"__typename": "Product", "upc": "2"},
    ]


async def test_keys_that_were_not_asked_for_stay_out_of_the_answer() -> None:
    result = await execute_plan(
        SHOP,
        "{ items: products { cost: price } }",
        query_plan(
            fetch(0, "products", "{ items: products { upc } }"),
            fetch(
                1,
                "prices",
                call("items[]", {"Product": "upc"}, "{ ... on Product { cost: price } }"),
                after=[0],
            ),
        ),
        {
            "products": {"data": {"items": [{"upc": "1", "__secret": 1, "more": 2}]}},
            "prices": {"data": {"_entities": [{"cost": 3, "more": 4}]}},
        },
    )

    assert result.data == {"items": [{"cost": 3}]}
    assert result.errors == []


async def test_null_keys_are_left_out_and_their_objects_keep_null() -> None:
    prices = ScriptedTransport([{"data": {"_entities": [{"price": 20}]}}])

    result = await execute_plan(
        SHOP,
        "{ search { ... on Product { price } } }",
        query_plan(
            fetch(0, "products", "{ search { __typename ... on Product { upc } } }"),
            fetch(
                1,
                "prices",
                call("search[]|Product", {"Product": "upc"}, "{ ... on Product { price } }"),
                after=[0],
            ),
        ),
        {
            "products": {
                "data": {
                    "search": [
                        {"__typename": "Product", "upc": None},
                        {"__typename": "User"},
                        None,
                        {"__typename": "Product", "upc": "2"},
                    ]
                }
            },
            "prices": prices,
        },
    )

    assert result.data == {"search": [{"price": None}, {}, None, {"price": 20}]}
    assert result.errors == []
    assert prices.requests[0]["variables"]["representations"] == [
        {"__typename": "Product", "upc": "2"}
    ]


async def test_no_representations_make_no_request() -> None:
    prices = ScriptedTransport([{"data": {"_entities": []}}])

    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        PRICES,
        {"products": {"data": {"products": []}}, "prices": prices},
    )

    assert result.data == {"products": []}
    assert prices.requests == []


async def test_several_calls_go_in_one_request_with_empty_lists_where_there_is_nothing() -> None:
    details = ScriptedTransport([{"data": {"a": [{"price": 1}], "b": []}}])

    result = await execute_plan(
        SHOP,
        "{ products { price owner { name } } }",
        query_plan(
            fetch(0, "products", "{ products { upc owner { id } } }"),
            fetch(
                1,
                "details",
                call(
                    "products[]",
                    {"Product": "upc"},
                    "{ ... on Product { price } }",
                    response_key="a",
                    variable="va",
                ),
                call(
                    "products[].owner",
                    {"User": "id"},
                    "{ ... on User { name } }",
                    response_key="b",
                    variable="vb",
                ),
                after=[0],
            ),
        ),
        {"products": {"data": {"products": [{"upc": "1", "owner": None}]}}, "details": details},
    )

    assert result.data == {"products": [{"price": 1, "owner": None}]}
    assert details.requests[0]["variables"] == {
        "va": [{"__typename": "Product", "upc": "1"}],
        "vb": [],
    }


async def test_one_call_collects_at_several_paths_and_in_nested_lists() -> None:
    supergraph = PlainSupergraph(
        "type Query { grid: [[User]!] me: User! } type User { id: ID! name: String }"
    )
    users = ScriptedTransport(
        [
            lambda payload: {
                "data": {
                    "_entities": [
                        {"name": r["id"].upper()} for r in payload["variables"]["representations"]
                    ]
                }
            }
        ]
    )

    result = await execute_plan(
        supergraph,
        "{ grid { name } me { name } }",
        query_plan(
            fetch(0, "root", "{ grid { id } me { id } }"),
            fetch(
                1,
                "users",
                call(["grid[][]", "me"], {"User": "id"}, "{ ... on User { name } }"),
                after=[0],
            ),
        ),
        {
            "root": {"data": {"grid": [[{"id": "a"}, None], [], [{"id": "b"}]], "me": {"id": "a"}}},
            "users": users,
        },
    )

    assert result.data == {
        "grid": [[{"name": "A"}, None], [], [{"name": "B"}]],
        "me": {"name": "A"},
    }
    assert [r["id"] for r in users.requests[0]["variables"]["representations"]] == ["a", "b"]


async def test_composite_nested_and_optional_representation_fields() -> None:
    shipping = ScriptedTransport([{"data": {"_entities": [{"price": 5}, {"price": 6}]}}])
    products = [
        {"upc": "1", "name": "A", "size": {"height": 1, "width": 2}, "__tags": ["x"]},
        {"upc": "2", "name": None, "size": None, "__tags": None},
        {"upc": "1", "name": "A", "size": {"height": 1, "width": 2}, "__tags": ["x"]},
    ]

    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        query_plan(
            fetch(
                0,
                "products",
                '{ products { upc name size { height width } __tags: tags @as(key: "__tags") } }',
            ),
            fetch(
                1,
                "shipping",
                call(
                    "products[]",
                    {"Product": "upc -name -size{-height -width} -tags=__tags"},
                    "{ ... on Product { price } }",
                ),
                after=[0],
            ),
        ),
        {"products": {"data": {"products": products}}, "shipping": shipping},
    )

    assert result.errors == []
    assert result.data == {"products": [{"price": 5}, {"price": 6}, {"price": 5}]}
    assert shipping.requests[0]["variables"]["representations"] == [
        {
            "__typename": "Product",
            "upc": "1",
            "name": "A",
            "size": {"height": 1, "width": 2},
            "tags": ["x"],
        },
        {"__typename": "Product", "upc": "2", "name": None, "size": None, "tags": None},
    ]


async def test_null_inside_a_nested_key_leaves_the_object_out() -> None:
    other = ScriptedTransport([{"data": {"_entities": [{"price": 5}]}}])

    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        query_plan(
            fetch(0, "products", "{ products { size { height } related { upc } } }"),
            fetch(
                1,
                "other",
                call(
                    "products[]",
                    {"Product": "size{height} related{upc}"},
                    "{ ... on Product { price } }",
                ),
                after=[0],
            ),
        ),
        {
            "products": {
                "data": {
                    "products": [
                        {"size": {"height": None}, "related": [{"upc": "1"}]},
                        {"size": {"height": 1}, "related": [{"upc": "1"}, {"upc": None}]},
                        {"size": {"height": 1}, "related": [{"upc": "1"}, {"upc": "2"}]},
                    ]
                }
            },
            "other": other,
        },
    )

    assert result.data == {"products": [{"price": None}, {"price": None}, {"price": 5}]}
    assert other.requests[0]["variables"]["representations"] == [
        {"__typename": "Product", "size": {"height": 1}, "related": [{"upc": "1"}, {"upc": "2"}]}
    ]


async def test_value_types_spread_over_subgraphs_are_joined_by_position() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { size { width height depth } related { name price } } }",
        query_plan(
            fetch(0, "a", "{ products { size { height } related { name } } }"),
            fetch(1, "b", "{ products { size { width } related { price } } }"),
            fetch(2, "c", "{ products { size { depth } } }"),
        ),
        {
            "a": {
                "data": {
                    "products": [
                        {"size": {"height": 1}, "related": [{"name": "x"}, None]},
                        {"size": None, "related": None},
                    ]
                }
            },
            "b": {
                "data": {
                    "products": [
                        {"size": {"width": 2}, "related": [{"price": 7}, None]},
                        {"size": {"width": 4}, "related": None},
                    ]
                }
            },
            "c": {"data": {"products": [{"size": {"depth": 3}}, {"size": None}]}},
        },
    )

    assert result.errors == []
    assert result.data == {
        "products": [
            {
                "size": {"width": 2, "height": 1, "depth": 3},
                "related": [{"name": "x", "price": 7}, None],
            },
            {"size": {"width": 4, "height": None, "depth": None}, "related": None},
        ]
    }


async def test_child_objects_of_a_parent_entity_are_joined_and_hop_on() -> None:
    users = ScriptedTransport([{"data": {"_entities": [{"name": "Ann"}]}}])

    result = await execute_plan(
        SHOP,
        "{ products { size { height depth } owner { id name } } }",
        query_plan(
            fetch(0, "a", "{ products { upc size { height } } }"),
            fetch(
                1,
                "b",
                call(
                    "products[]",
                    {"Product": "upc"},
                    "{ ... on Product { size { depth } owner { id } } }",
                ),
                after=[0],
            ),
            fetch(
                2,
                "users",
                call("products[].owner", {"User": "id"}, "{ ... on User { name } }"),
                after=[1],
            ),
        ),
        {
            "a": {
                "data": {
                    "products": [
                        {"upc": "1", "size": {"height": 1}},
                        {"upc": "2", "size": {"height": 2}},
                    ]
                }
            },
            "b": {"data": {"_entities": [{"size": {"depth": 9}, "owner": {"id": "u"}}, None]}},
            "users": users,
        },
    )

    assert result.errors == []
    assert result.data == {
        "products": [
            {"size": {"height": 1, "depth": 9}, "owner": {"id": "u", "name": "Ann"}},
            {"size": {"height": 2, "depth": None}, "owner": None},
        ]
    }
    assert len(users.requests) == 1


async def test_representations_differ_by_runtime_type() -> None:
    other = ScriptedTransport([{"data": {"_entities": [{"name": "P"}, {"name": "U"}]}}])
    items = [
        {"__typename": "Product", "upc": "1"},
        {"__typename": "User", "id": "1"},
        {"__typename": "Product", "upc": "1"},
    ]

    result = await execute_plan(
        SHOP,
        "{ search { t: __typename ... on Product { name } ... on User { title: name } } }",
        query_plan(
            fetch(0, "a", "{ search { __typename ... on Product { upc } ... on User { id } } }"),
            fetch(
                1,
                "b",
                call(
                    "search[]",
                    {"Product": "upc", "User": "id"},
                    '{ ... on Product { name } ... on User { _u: name @as(key: "title") } }',
                ),
                after=[0],
            ),
        ),
        {
            "a": {"data": {"search": items}},
            "b": ScriptedTransport(
                [{"data": {"_entities": [{"name": "P"}, {"_u": "U"}]}}], requests=other.requests
            ),
        },
    )

    assert result.errors == []
    assert result.data == {
        "search": [
            {"t": "Product", "name": "P"},
            {"t": "User", "title": "U"},
            {"t": "Product", "name": "P"},
        ]
    }
    assert other.requests[0]["variables"]["representations"] == [
        {"__typename": "Product", "upc": "1"},
        {"__typename": "User", "id": "1"},
    ]


async def test_same_key_of_different_types_is_two_entities() -> None:
    supergraph = PlainSupergraph(
        """
        type Query { nodes: [Node] }
        interface Node { id: ID! name: String }
        type A implements Node { id: ID! name: String }
        type B implements Node { id: ID! name: String }
        """
    )
    spec = RepresentationSpec(types=None, typename=None, fields=representation_fields("id"))
    other = ScriptedTransport([{"data": {"_entities": [{"name": "a"}, {"name": "b"}]}}])

    result = await execute_plan(
        supergraph,
        "{ nodes { name __typename } }",
        query_plan(
            fetch(0, "a", "{ nodes { __typename id } }"),
            fetch(1, "b", call("nodes[]", [spec], "{ ... on Node { name } }"), after=[0]),
        ),
        {
            "a": {"data": {"nodes": [{"__typename": "A", "id": 1}, {"__typename": "B", "id": 1}]}},
            "b": other,
        },
    )

    assert result.errors == []
    assert result.data == {
        "nodes": [{"name": "a", "__typename": "A"}, {"name": "b", "__typename": "B"}]
    }
    assert other.requests[0]["variables"]["representations"] == [
        {"__typename": "A", "id": 1},
        {"__typename": "B", "id": 1},
    ]


async def test_type_of_an_interface_object_is_told_by_another_subgraph() -> None:
    supergraph = PlainSupergraph(
        """
        type Query { media: [Media] }
        interface Media { id: ID! title: String reviews: Int }
        type Book implements Media { id: ID! title: String reviews: Int pages: Int }
        type Film implements Media { id: ID! title: String reviews: Int }
        """
    )
    pages = ScriptedTransport([{"data": {"_entities": [{"pages": 300}]}}])
    spec = RepresentationSpec(types=None, typename="Media", fields=representation_fields("id"))

    result = await execute_plan(
        supergraph,
        "{ media { __typename reviews title ... on Book { pages } } }",
        query_plan(
            fetch(0, "reviews", "{ media { id reviews } }"),
            fetch(
                1,
                "media",
                call("media[]", [spec], "{ ... on Media { __typename title } }"),
                after=[0],
            ),
            fetch(
                2,
                "pages",
                call("media[]|Book", {"Book": "id"}, "{ ... on Book { pages } }"),
                after=[1],
            ),
        ),
        {
            "reviews": {"data": {"media": [{"id": "1", "reviews": 5}, {"id": "2", "reviews": 6}]}},
            "media": {
                "data": {
                    "_entities": [
                        {"__typename": "Book", "title": "B"},
                        {"__typename": "Film", "title": "F"},
                    ]
                }
            },
            "pages": pages,
        },
    )

    assert result.errors == []
    assert result.data == {
        "media": [
            {"__typename": "Book", "reviews": 5, "title": "B", "pages": 300},
            {"__typename": "Film", "reviews": 6, "title": "F"},
        ]
    }
    assert pages.requests[0]["variables"]["representations"] == [{"__typename": "Book", "id": "1"}]


CONDITIONAL = query_plan(
    fetch(0, "products", "{ products { upc name @include(if: $n) } }", variables={"n": "Boolean!"}),
    fetch(
        1,
        "prices",
        call("products[]", {"Product": "upc"}, "{ ... on Product { price } }"),
        after=[0],
        conditions=[Condition("p", wanted=True)],
    ),
)


@pytest.mark.parametrize(
    ("variables", "expected", "requests"),
    [
        ({"n": True, "p": True}, {"name": "T", "price": 1}, 1),
        ({"n": True, "p": False}, {"name": "T"}, 0),
        ({"n": False, "p": True}, {"price": 1}, 1),
        ({"n": False}, {}, 0),
    ],
)
async def test_conditions_are_decided_for_each_request(
    variables: dict[str, Any], expected: dict[str, Any], requests: int
) -> None:
    prices = ScriptedTransport([{"data": {"_entities": [{"price": 1}]}}])
    product = {"upc": "1"} | ({"name": "T"} if variables["n"] else {})

    result = await execute_plan(
        SHOP,
        """query($n: Boolean!, $p: Boolean = false) {
             products { name @include(if: $n) ... @include(if: $p) { price } }
           }""",
        CONDITIONAL,
        {"products": {"data": {"products": [product]}}, "prices": prices},
        variables,
    )

    assert result.data == {"products": [expected]}
    assert result.errors == []
    assert len(prices.requests) == requests


async def test_a_call_that_a_condition_rules_out_sends_an_empty_list() -> None:
    details = ScriptedTransport([{"data": {"a": [{"price": 1}], "b": []}}])
    product = {"upc": "1", "owner": {"id": "u"}}

    result = await execute_plan(
        SHOP,
        "query($o: Boolean!) { products { price owner { name @include(if: $o) } } }",
        query_plan(
            fetch(0, "products", "{ products { upc owner { id } } }"),
            fetch(
                1,
                "details",
                call(
                    "products[]",
                    {"Product": "upc"},
                    "{ ... on Product { price } }",
                    response_key="a",
                    variable="va",
                ),
                call(
                    "products[].owner",
                    {"User": "id"},
                    "{ ... on User { name } }",
                    response_key="b",
                    variable="vb",
                    conditions=[Condition("o", wanted=True)],
                ),
                after=[0],
            ),
        ),
        {"products": {"data": {"products": [product]}}, "details": details},
        {"o": False},
    )

    assert result.errors == []
    assert result.data == {"products": [{"price": 1, "owner": {}}]}
    assert details.requests[0]["variables"] == {
        "va": [{"__typename": "Product", "upc": "1"}],
        "vb": [],
    }


async def test_client_variables_are_passed_on_only_where_they_are_used() -> None:
    transport = ScriptedTransport([{"data": {"product": None}}])

    await execute_plan(
        SHOP,
        "query($upc: ID!, $x: Boolean = true) { product(upc: $upc) { name @include(if: $x) } }",
        query_plan(
            fetch(
                0,
                "a",
                "{ product(upc: $upc) { name } }",
                variables={"upc": "ID!", "missing": "Int"},
            )
        ),
        {"a": transport},
        {"upc": "7", "x": True},
    )

    assert transport.requests[0]["variables"] == {"upc": "7"}


async def test_headers_and_request_id_are_forwarded() -> None:
    transport = ScriptedTransport([{"data": {"me": None}}])

    await execute_plan(
        SHOP,
        "{ me { id } }",
        query_plan(fetch(0, "a", "{ me { id } }")),
        {"a": transport},
        context=RequestContext(headers=(("authorization", "Bearer t"),), request_id="r-1"),
    )

    assert transport.headers == [(("authorization", "Bearer t"), ("x-request-id", "r-1"))]


async def test_independent_fetches_run_at_the_same_time_and_mutations_in_order() -> None:
    order: list[str] = []

    def answer(name: str, data: dict[str, Any]) -> ScriptedTransport:
        def note(_: dict[str, Any]) -> dict[str, Any]:
            order.append(name)
            return {"data": data}

        return ScriptedTransport([note])

    result = await execute_plan(
        SHOP,
        "mutation { second first third { price } }",
        query_plan(
            fetch(0, "b", "{ second }", kind=OperationKind.MUTATION),
            fetch(1, "a", "{ first }", kind=OperationKind.MUTATION, after=[0]),
            fetch(2, "c", "{ third { upc } }", kind=OperationKind.MUTATION, after=[1]),
            fetch(
                3, "d", call("third", {"Product": "upc"}, "{ ... on Product { price } }"), after=[2]
            ),
            kind=OperationKind.MUTATION,
        ),
        {
            "a": answer("first", {"first": 1}),
            "b": answer("second", {"second": 2}),
            "c": answer("third", {"third": {"upc": "1"}}),
            "d": answer("price", {"_entities": [{"price": 3}]}),
        },
    )

    assert result.data == {"second": 2, "first": 1, "third": {"price": 3}}
    assert order == ["second", "first", "third", "price"]

    hold = asyncio.Event()
    slow = [
        ScriptedTransport([{"data": {"me": None}}], hold=hold),
        ScriptedTransport([{"data": {"products": []}}], hold=hold),
    ]
    running = asyncio.create_task(
        execute_plan(
            SHOP,
            "{ me { id } products { upc } }",
            query_plan(fetch(0, "a", "{ me { id } }"), fetch(1, "b", "{ products { upc } }")),
            {"a": slow[0], "b": slow[1]},
        )
    )
    for transport in slow:
        await transport.arrived.wait()
    hold.set()
    assert (await running).data == {"me": None, "products": []}


async def test_cancelling_cancels_every_request_under_way() -> None:
    transports = [ScriptedTransport([{"data": {}}], hold=asyncio.Event()) for _ in range(2)]
    running = asyncio.create_task(
        execute_plan(
            SHOP,
            "{ me { id } products { upc } }",
            query_plan(fetch(0, "a", "{ me { id } }"), fetch(1, "b", "{ products { upc } }")),
            {"a": transports[0], "b": transports[1]},
        )
    )
    for transport in transports:
        await transport.arrived.wait()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert [transport.cancelled for transport in transports] == [1, 1]


async def test_a_plan_without_fetches_answers_typename_and_introspection() -> None:
    result = await execute_plan(
        SHOP,
        """query($n: String!) {
             a: __typename __type(name: $n) { ...T }
             s: __schema { queryType { name } } b: __typename
           }
           fragment T on __Type { kind name }""",
        query_plan(),
        {},
        {"n": "User"},
    )

    assert result.errors == []
    assert result.data == {
        "a": "Query",
        "__type": {"kind": "OBJECT", "name": "User"},
        "s": {"queryType": {"name": "Query"}},
        "b": "Query",
    }
    assert list(result.data) == ["a", "__type", "s", "b"]


async def test_introspection_stands_among_the_fields_of_subgraphs_in_query_order() -> None:
    result = await execute_plan(
        SHOP,
        "{ me { id } __schema { queryType { name } } products { upc } }",
        query_plan(fetch(0, "a", "{ me { id } products { upc } }")),
        {"a": {"data": {"products": [], "me": {"id": 7}}}},
    )

    assert result.data == {
        "me": {"id": "7"},
        "__schema": {"queryType": {"name": "Query"}},
        "products": [],
    }
    assert list(result.data) == ["me", "__schema", "products"]


async def test_extensions_are_collected_on_demand() -> None:
    result = await execute_plan(
        SHOP,
        "{ products { price } }",
        PRICES,
        {
            "products": {
                "data": {"products": [{"upc": "1", "name": "x"}]},
                "extensions": {"sql": 1},
            },
            "prices": {"data": {"_entities": [{"price": 1}]}, "extensions": {"sql": 2}},
        },
        context=RequestContext(collect_extensions=True),
    )

    assert result.extensions["subgraphs"] == {"products": [{"sql": 1}], "prices": [{"sql": 2}]}
    assert [
        (one["id"], one["subgraph"], one["entities"], one["status"])
        for one in result.extensions["fetches"]
    ] == [(0, "products", 0, 200), (1, "prices", 1, 200)]
    products, prices = result.extensions["fetches"]
    assert products["start"] >= 0
    assert products["ms"] >= 0
    assert products["start"] + products["ms"] <= prices["start"] + 0.01  # both are rounded


async def test_identical_queries_in_flight_share_one_request() -> None:
    hold = asyncio.Event()
    transport = ScriptedTransport([{"data": {"me": {"id": "1"}}}], hold=hold)
    plan = query_plan(fetch(0, "a", "{ me { id } }"), fetch(1, "a", "{ me { id } }"))

    running = asyncio.create_task(execute_plan(SHOP, "{ me { id } }", plan, {"a": transport}))
    await transport.arrived.wait()
    hold.set()

    assert (await running).data == {"me": {"id": "1"}}
    assert len(transport.requests) == 1

    await execute_plan(
        SHOP, "{ me { id } }", plan, {"a": transport}, settings=ExecutorSettings(deduplicate=False)
    )
    assert len(transport.requests) == 3


async def test_a_call_that_nothing_can_be_collected_for_is_a_defect_of_the_plan() -> None:
    plan = query_plan(
        fetch(0, "products", "{ products { name } }"),
        fetch(
            1,
            "prices",
            call("products[]", {"Product": "upc"}, "{ ... on Product { price } }"),
            after=[0],
        ),
    )

    with pytest.raises(ProgramError):
        program_of(SHOP, "{ products { price } }", plan)
