"""One subgraph fails in every way there is: its fields are null with path and code, all others are
there.

The subgraphs are real servers on sockets. ``prices`` is the bad one; it is asked for a root field
(``shop``) and for entities (``price``).
"""

from __future__ import annotations

import asyncio
import gzip
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import httpx
import orjson
import pytest

from router.composition import SubgraphInput, compose
from router.server.app import create_router_app
from router.server.settings import RouterSettings
from tests.federation.faults.raw_subgraph import Behaviour, RawSubgraph, http, says, serving

LINK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external"])
"""
PRODUCTS = """
type Query { name: String! products: [Product!]! }
type Product @key(fields: "upc") { upc: ID! name: String }
"""
PRICES = """
type Query { shop: Shop must: Shop! }
type Mutation { sell: Shop }
type Shop { open: Boolean rating: Float floors: [Int!] kind: Kind owner: Owner }
type Owner { id: ID! first: String! }
enum Kind { LARGE SMALL }
type Product @key(fields: "upc") { upc: ID! price: Int tags: [String!] must: Int! }
"""
CATALOGUE = {
    "data": {
        "name": "shop",
        "products": [
            {"__typename": "Product", "upc": "1", "name": "Table"},
            {"__typename": "Product", "upc": "2", "name": "Chair"},
        ],
    }
}
ROOT_QUERY = "{ name products { name } shop { open owner { first } } }"
ENTITY_QUERY = "{ name products { name price } }"
FINE_SHOP = {"data": {"shop": {"open": True, "owner": {"first": "Ada"}}}}
MESSAGES_MAY_NOT_HAVE = ("Traceback", "127.0.0.1", "/work", "Errno", "router/", "<html")


def supergraph(products: RawSubgraph, prices: RawSubgraph) -> str:
    composed = compose(
        [
            SubgraphInput("products", products.url, LINK + PRODUCTS),
            SubgraphInput("prices", prices.url, LINK + PRICES),
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    return composed.supergraph_sdl


@asynccontextmanager
async def routed(
    behaviour: Behaviour, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, RawSubgraph]]:
    products = RawSubgraph(says(http(orjson.dumps(CATALOGUE))))
    prices = RawSubgraph(behaviour)
    chosen = {"environment": "test", "access_log": False, "subgraph_retry_delay": 0.001}
    async with serving(products, prices):
        app = create_router_app(
            RouterSettings(**{**chosen, **settings}), supergraph(products, prices)
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
            try:
                yield client, prices
            finally:
                await app.aclose()


async def ask(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    response = await client.post("/graphql", json={"query": query})
    assert response.status_code == 200, response.text
    for text in MESSAGES_MAY_NOT_HAVE:
        assert text not in response.text
    answer: dict[str, Any] = response.json()
    return answer


def places(answer: dict[str, Any]) -> list[tuple[str, list[str | int]]]:
    return [(error["extensions"]["code"], error["path"]) for error in answer["errors"]]


# -- ways to behave badly --------------------------------------------------------------------------


async def resets(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    socket = writer.get_extra_info("socket")
    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hangs_up(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.close()


async def stops_halfway(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(http(orjson.dumps(FINE_SHOP))[:-10])
    await writer.drain()
    writer.close()


async def says_nothing(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def never_ends(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        await writer.drain()


async def drips(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)  # a slow subgraph is what is tested


HTML = b"<html><body>at 127.0.0.1 Errno 111</body></html>"
BIG = orjson.dumps({"data": {"shop": {"open": True, "owner": {"first": "x" * 10_000_000}}}})
BOMB = gzip.compress(b" " * 30_000_000)
HTTP, MALFORMED = "SUBREQUEST_HTTP_ERROR", "SUBREQUEST_MALFORMED_RESPONSE"
TOO_LARGE, TIMEOUT = "SUBGRAPH_RESPONSE_TOO_LARGE", "SUBGRAPH_TIMEOUT"

FAULTS: dict[str, tuple[Behaviour, str]] = {
    "resets": (resets, HTTP),
    "hangs up": (hangs_up, HTTP),
    "stops halfway": (stops_halfway, HTTP),
    "says nothing": (says_nothing, TIMEOUT),
    "drips": (drips, TIMEOUT),
    "never ends": (never_ends, TOO_LARGE),
    "HTML": (says(http(HTML, headers="content-type: text/html")), MALFORMED),
    "HTML of a proxy": (says(http(HTML, status=502)), HTTP),
    "half a JSON": (says(http(orjson.dumps(FINE_SHOP)[:-3])), MALFORMED),
    "nothing": (says(http(b"")), MALFORMED),
    "no content": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), MALFORMED),
    "a list": (says(http(b"[]")), MALFORMED),
    "a string": (says(http(b'"data"')), MALFORMED),
    "null": (says(http(b"null")), MALFORMED),
    "an empty object": (says(http(b"{}")), MALFORMED),
    "data that is a list": (says(http(b'{"data":[]}')), MALFORMED),
    "data that is a string": (says(http(b'{"data":"x"}')), MALFORMED),
    "null and no errors": (says(http(b'{"data":null}')), MALFORMED),
    "errors that are an object": (says(http(b'{"data":{},"errors":{}}')), MALFORMED),
    "empty errors": (says(http(b'{"data":null,"errors":[]}')), MALFORMED),
    "NaN": (says(http(b'{"data":{"shop":{"open":NaN}}}')), MALFORMED),
    "invalid UTF-8": (says(http(b'{"data":{"shop":{"open":"\xff"}}}')), MALFORMED),
    "UTF-16": (says(http('{"data":null}'.encode("utf-16"))), MALFORMED),
    "deep nesting": (says(http(b'{"data":' + b"[" * 100_000)), MALFORMED),
    "more than the limit": (says(http(BIG)), TOO_LARGE),
    "a gzip bomb": (says(http(BOMB, headers="content-encoding: gzip")), TOO_LARGE),
    "a damaged gzip": (says(http(BOMB[:-50], headers="content-encoding: gzip")), TOO_LARGE),
    "no gzip": (says(http(b"{}", headers="content-encoding: gzip")), MALFORMED),
    "brotli": (says(http(b"{}", headers="content-encoding: br")), MALFORMED),
    "a redirect": (says(http(b"", status=302, headers="location: http://127.0.0.1/")), HTTP),
    "401": (says(http(b'{"detail":"no"}', status=401)), HTTP),
    "403": (says(http(HTML, status=403)), HTTP),
    "429": (says(http(b"", status=429, headers="retry-after: 1")), HTTP),
    "500": (says(http(b"Traceback (most recent call last)", status=500)), HTTP),
    "no HTTP": (says(b"SSH-2.0-OpenSSH\r\n\r\n"), MALFORMED),
    "HTTP upgrade": (
        says(b"HTTP/1.1 101 X\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"),
        MALFORMED,
    ),
    "a header bomb": (
        says(b"HTTP/1.1 200 OK\r\n", *[b"x: " + b"y" * 10_000 + b"\r\n"] * 20),
        TOO_LARGE,
    ),
    "lengths that contradict": (
        says(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}"),
        MALFORMED,
    ),
}
LIMITS = {"subgraph_max_response_bytes": 1_000_000, "subgraph_timeout": 0.25}


@pytest.mark.parametrize(("behaviour", "code"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_bad_subgraph_nulls_its_own_fields_only(behaviour: Behaviour, code: str) -> None:
    limits = LIMITS if code in {TIMEOUT, TOO_LARGE} else {}
    async with routed(behaviour, **limits) as (client, _):
        started = time.monotonic()
        root = await ask(client, ROOT_QUERY)
        entities = await ask(client, ENTITY_QUERY)
        seconds = time.monotonic() - started

    assert root["data"] == {
        "name": "shop",
        "products": [{"name": "Table"}, {"name": "Chair"}],
        "shop": None,
    }
    assert places(root) == [(code, ["shop"])]
    assert entities["data"] == {
        "name": "shop",
        "products": [{"name": "Table", "price": None}, {"name": "Chair", "price": None}],
    }
    assert places(entities) == [(code, ["products", 0]), (code, ["products", 1])]
    assert {error["extensions"]["service"] for error in root["errors"]} == {"prices"}
    assert seconds < 5.0


@pytest.mark.parametrize(
    "answer",
    [
        http(orjson.dumps(FINE_SHOP), headers="content-type: text/plain"),
        http(orjson.dumps(FINE_SHOP), status=500),
        http(orjson.dumps(FINE_SHOP), status=201),
        http(gzip.compress(orjson.dumps(FINE_SHOP)), headers="Content-Encoding: gzip"),
        http(b'{"data":{"shop":{"open":false,"open":true,"owner":{"first":"Ada"}}}}'),
        http(b'{"more":1,"data":{"other":2,"shop":{"x":[],"open":true,"owner":{"first":"Ada"}}}}'),
        http(b"  " + orjson.dumps(FINE_SHOP) + b"\n"),
    ],
    ids=["plain text", "500", "201", "gzip", "duplicate keys", "extra keys", "white space"],
)
async def test_a_graphql_response_counts_however_it_is_wrapped(answer: bytes) -> None:
    async with routed(says(answer)) as (client, _):
        result = await ask(client, "{ shop { open owner { first } } }")
    assert result == FINE_SHOP


SHOP_QUERY = "{ name shop { open rating floors kind owner { id first } } }"
SHOP = {
    "open": True,
    "rating": 4.5,
    "floors": [1, 2],
    "kind": "LARGE",
    "owner": {"id": "1", "first": "Ada"},
}


@pytest.mark.parametrize(
    ("wrong", "shown", "path"),
    [
        ({"open": "yes"}, {"open": None}, ["open"]),
        ({"open": 1}, {"open": None}, ["open"]),
        ({"open": {}}, {"open": None}, ["open"]),
        ({"rating": "4.5"}, {"rating": None}, ["rating"]),
        ({"rating": True}, {"rating": None}, ["rating"]),
        ({"floors": 1}, {"floors": None}, ["floors"]),
        ({"floors": {"0": 1}}, {"floors": None}, ["floors"]),
        ({"floors": "12"}, {"floors": None}, ["floors"]),
        ({"floors": [1, "2"]}, {"floors": None}, ["floors", 1]),
        ({"floors": [1, [2]]}, {"floors": None}, ["floors", 1]),
        ({"floors": [1, 2**31]}, {"floors": None}, ["floors", 1]),
        ({"floors": [1, 1.5]}, {"floors": None}, ["floors", 1]),
        ({"kind": "HUGE"}, {"kind": None}, ["kind"]),
        ({"kind": 1}, {"kind": None}, ["kind"]),
        ({"kind": []}, {"kind": None}, ["kind"]),
        ({"owner": []}, {"owner": None}, ["owner"]),
        ({"owner": [{"id": "1", "first": "Ada"}]}, {"owner": None}, ["owner"]),
        ({"owner": "Ada"}, {"owner": None}, ["owner"]),
        ({"owner": {"id": "1"}}, {"owner": None}, ["owner", "first"]),
        ({"owner": {"id": {}, "first": "Ada"}}, {"owner": None}, ["owner", "id"]),
        ({"owner": {"id": 1.5, "first": "Ada"}}, {"owner": None}, ["owner", "id"]),
        ({"owner": {"id": "1", "first": 1}}, {"owner": None}, ["owner", "first"]),
    ],
    ids=str,
)
async def test_a_wrong_value_nulls_what_it_must_and_no_more(
    wrong: dict[str, Any], shown: dict[str, Any], path: list[str | int]
) -> None:
    answer = http(orjson.dumps({"data": {"shop": SHOP | wrong}}))
    async with routed(says(answer)) as (client, _):
        result = await ask(client, SHOP_QUERY)
    assert result["data"] == {"name": "shop", "shop": SHOP | shown}
    assert places(result) == [(MALFORMED, ["shop", *path])]


async def test_a_missing_key_is_told_and_a_null_is_not() -> None:
    shop = {"open": None, "rating": None, "floors": None, "owner": None}
    async with routed(says(http(orjson.dumps({"data": {"shop": shop}})))) as (client, _):
        result = await ask(client, SHOP_QUERY)
    assert result["data"]["shop"] == shop | {"kind": None}
    assert places(result) == [(MALFORMED, ["shop", "kind"])]


async def test_a_null_where_none_may_be_propagates_with_one_error() -> None:
    answer = {"data": {"must": {"open": True, "owner": {"id": "1", "first": None}}}}
    async with routed(says(http(orjson.dumps(answer)))) as (client, _):
        inside = await ask(client, "{ name must { open owner { first } } }")
    assert inside["data"] == {"name": "shop", "must": {"open": True, "owner": None}}
    assert places(inside) == [("NON_NULL_VIOLATION", ["must", "owner", "first"])]

    async with routed(says(http(b'{"data":{"must":null}}'))) as (client, _):
        whole = await ask(client, "{ name must { open } }")
    assert whole["data"] is None
    assert places(whole) == [("NON_NULL_VIOLATION", ["must"])]


@pytest.mark.parametrize(
    "entities",
    [
        None,
        [],
        [{"price": 1}],
        [{"price": 1}, {"price": 2}, {"price": 3}],
        {"0": {"price": 1}, "1": {"price": 2}},
        "[]",
        7,
    ],
    ids=str,
)
async def test_entities_that_do_not_match_the_representations_are_no_answer(entities: Any) -> None:
    answer = http(orjson.dumps({"data": {"_entities": entities}}))
    async with routed(says(answer)) as (client, _):
        result = await ask(client, ENTITY_QUERY)
    assert [product["price"] for product in result["data"]["products"]] == [None, None]
    assert places(result) == [(MALFORMED, ["products", 0]), (MALFORMED, ["products", 1])]


@pytest.mark.parametrize("row", [[], 1, "x", True, {}, {"price": "1"}, {"price": []}], ids=str)
async def test_a_bad_entity_leaves_its_neighbour_alone(row: Any) -> None:
    answer = http(orjson.dumps({"data": {"_entities": [row, {"price": 5}]}}))
    async with routed(says(answer)) as (client, _):
        result = await ask(client, ENTITY_QUERY)
    assert [product["price"] for product in result["data"]["products"]] == [None, 5]
    assert places(result) == [(MALFORMED, ["products", 0, "price"])]


@pytest.mark.parametrize(
    ("errors", "path"),
    [
        ([{"message": "no", "path": ["shop", "open"]}], ["shop", "open"]),
        ([{"message": "no", "path": ["shop", "nothing", 3]}], ["shop"]),
        ([{"message": "no", "path": ["elsewhere"]}], None),
        ([{"message": "no", "path": "shop.open"}], None),
        ([{"message": "no", "path": {"0": "shop"}}], None),
        ([{"message": "no", "path": [None, {}, []]}], None),
        ([{"message": "no", "path": [1.5]}], None),
        ([{"message": "no", "path": [True]}], None),
        ([{"message": {"text": "no"}, "extensions": "x"}], None),
        ([{"extensions": {"code": {"a": 1}, "secret": 1}}], None),
        (["no"], None),
        ([None], None),
        ([[[]]], None),
        ([7], None),
    ],
    ids=str,
)
@pytest.mark.parametrize("data", [None, {"shop": None}, {}], ids=str)
async def test_errors_of_any_shape_are_errors_all_the_same(
    data: Any, errors: Any, path: list[str | int] | None
) -> None:
    answer = http(orjson.dumps({"data": data, "errors": errors}))
    async with routed(says(answer)) as (client, _):
        result = await ask(client, "{ name shop { open } }")
    assert result["data"] == {"name": "shop", "shop": None}
    for error in result["errors"]:
        assert isinstance(error["message"], str)
        assert error["message"]
        assert error["extensions"] == {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "prices"}
    assert [error.get("path") for error in result["errors"]] == [path]


async def test_many_errors_are_many_errors() -> None:
    errors = [{"message": str(number), "path": ["shop"]} for number in range(3000)]
    answer = http(orjson.dumps({"data": None, "errors": errors}))
    async with routed(says(answer)) as (client, _):
        result = await ask(client, "{ name shop { open } }")
    assert result["data"] == {"name": "shop", "shop": None}
    assert result["errors"][0]["message"] == "0"


async def test_the_deadline_of_the_request_is_kept_and_passed_on() -> None:
    async with routed(says_nothing, request_timeout=0.3) as (client, prices):
        started = time.monotonic()
        result = await ask(client, ROOT_QUERY)
        seconds = time.monotonic() - started
    assert result["data"]["name"] == "shop"
    assert places(result) == [(TIMEOUT, ["shop"])]
    assert 0.25 < seconds < 2.0
    told = prices.heads[0].lower().split("x-request-timeout-ms: ")[1].split("\r\n")[0]
    assert 0 < int(told) <= 300


async def test_a_subgraph_that_stumbles_is_asked_again_for_a_query_and_not_for_a_mutation() -> None:
    async def stumbles(body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        first = len(prices.requests) == 1
        answer = {"data": {"sell": SHOP}} if "mutation" in body["query"] else FINE_SHOP
        writer.write(http(HTML, status=503) if first else http(orjson.dumps(answer)))

    async with routed(stumbles) as (client, prices):
        assert (await ask(client, "{ shop { open owner { first } } }")) == FINE_SHOP
        assert len(prices.requests) == 2
        prices.requests.clear()
        result = await ask(client, "mutation { sell { open } }")
        assert places(result) == [(HTTP, ["sell"])]
        assert len(prices.requests) == 1


async def test_a_subgraph_that_keeps_failing_is_left_alone() -> None:
    settings = {"circuit_breaker_min_requests": 5, "subgraph_retries": 0}
    async with routed(says(http(HTML, status=503)), **settings) as (client, prices):
        answers = [await ask(client, "{ name shop { open } }") for _ in range(8)]
        metrics = (await client.get("/metrics")).text
    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers]
    assert codes == [HTTP] * 5 + ["SUBGRAPH_CIRCUIT_OPEN"] * 3
    assert {answer["data"]["name"] for answer in answers} == {"shop"}
    assert len(prices.requests) == 5
    assert 'router_circuit_breaker_state{subgraph="prices"} 2.0' in metrics
    assert 'router_circuit_breaker_refused_total{subgraph="prices"} 3.0' in metrics


async def test_nobody_is_there() -> None:
    prices = RawSubgraph(says_nothing)
    prices.url = "http://127.0.0.1:1/graphql"
    products = RawSubgraph(says(http(orjson.dumps(CATALOGUE))))
    async with serving(products):
        app = create_router_app(
            RouterSettings(environment="test", subgraph_retry_delay=0.001),
            supergraph(products, prices),
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
            result = await ask(client, ENTITY_QUERY)
        await app.aclose()
    assert places(result) == [(HTTP, ["products", 0]), (HTTP, ["products", 1])]
