"""The secret that subgraphs know the router by: on every request, never a client's."""

from __future__ import annotations

import httpx
import orjson
import pytest
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from router.server.router_secret import ROUTER_HEADER
from router.server.settings import RouterSettings
from tests.federation.harness import DataSubgraph
from tests.support.guarded_router import data_subgraph, guarded_app, guarded_client
from tests.support.router_server import served

SECRET = "s" * 32
PUBLIC = {"query": "{ public }"}


@pytest.fixture
def things() -> DataSubgraph:
    return data_subgraph()


async def test_every_request_carries_the_secret(things: DataSubgraph) -> None:
    async with guarded_client(guarded_app(things, subgraph_secret=SECRET)) as client:
        await client.post("/graphql", json=PUBLIC)
        await client.post("/graphql", json={"query": "mutation { wipe }"})
        ready = await client.get("/ready")

    assert ready.status_code == 200
    assert {request.headers[ROUTER_HEADER] for request in things.requests} == {SECRET}


async def test_a_subgraph_may_have_a_secret_of_its_own(things: DataSubgraph) -> None:
    own = {"things": "t" * 32, "others": "o" * 32}
    app = guarded_app(things, subgraph_secret=SECRET, subgraph_secrets=own)
    async with guarded_client(app) as client:
        await client.post("/graphql", json=PUBLIC)

    assert things.requests[0].headers[ROUTER_HEADER] == "t" * 32


@pytest.mark.parametrize("secret", [SECRET, None])
async def test_what_a_client_sends_as_the_secret_goes_nowhere(
    things: DataSubgraph, secret: str | None
) -> None:
    async with guarded_client(guarded_app(things, subgraph_secret=secret)) as client:
        response = await client.post("/graphql", json=PUBLIC, headers={ROUTER_HEADER: "mine"})

    assert response.json() == {"data": {"public": "p"}}
    assert things.requests[0].headers.get(ROUTER_HEADER) == secret
    assert ROUTER_HEADER not in response.headers


async def test_a_subscription_carries_the_secret_when_it_connects(things: DataSubgraph) -> None:
    app = guarded_app(things, subgraph_secret=SECRET)
    async with (
        served(app) as address,
        connect(
            f"ws://{address}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as socket,
    ):
        await socket.send(
            orjson.dumps(
                {"type": "connection_init", "payload": {ROUTER_HEADER: "mine", "a": 1}}
            ).decode()
        )
        await socket.recv()
        query = {"query": "subscription { news { name } }"}
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": query}).decode())
        await socket.recv()

    assert things.connection_inits == [{ROUTER_HEADER: SECRET}]


def test_the_secret_can_not_be_forwarded_from_clients() -> None:
    with pytest.raises(ValidationError, match=ROUTER_HEADER):
        RouterSettings(forward_headers=("authorization", "Router-Authorization"))


def test_the_secret_is_not_in_what_settings_print() -> None:
    settings = RouterSettings(subgraph_secret=SECRET, subgraph_secrets={"a": SECRET})

    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    "query",
    [
        "{ _service { sdl } }",
        "{ sdl: _service { sdl } }",
        "{ ... on Query { _service { sdl } } }",
        "fragment F on Query { _service { sdl } } { ...F }",
        '{ _entities(representations: [{__typename: "User"}]) { __typename } }',
        "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }",
        "query ($r: [_Any!]!) { public }",
        "{ public ... on _Service { sdl } }",
        "fragment F on _Entity { __typename } { public ...F }",
        "{ user { _entities } }",
        "mutation { _service { sdl } }",
        "subscription { _service { sdl } }",
    ],
)
async def test_what_is_between_router_and_subgraphs_is_out_of_reach(
    things: DataSubgraph, query: str
) -> None:
    representations = [{"__typename": "User", "id": "1"}]
    members = {"query": query, "variables": {"r": representations}}
    async with guarded_client(guarded_app(things)) as client:
        posted = await client.post("/graphql", json=members)
        got = await client.get(
            "/graphql", params={"query": query}, headers={"apollo-require-preflight": "1"}
        )

    for response in (posted, got):
        body = response.json()
        assert "data" not in body
        assert body["errors"][0]["extensions"]["code"] in {
            "GRAPHQL_VALIDATION_FAILED",
            "METHOD_NOT_ALLOWED",
        }
    assert not things.requests


async def test_introspection_knows_nothing_of_it(things: DataSubgraph) -> None:
    query = (
        '{ __typename entity: __type(name: "_Entity") { name } any: __type(name: "_Any") { name }'
        ' service: __type(name: "_Service") { name } __schema { queryType { fields { name } }'
        " types { name } directives { name } } }"
    )
    async with guarded_client(guarded_app(things)) as client:
        response: httpx.Response = await client.post("/graphql", json={"query": query})

    data = response.json()["data"]
    assert data["__typename"] == "Query"
    assert (data["entity"], data["any"], data["service"]) == (None, None, None)
    names = [entry["name"] for entry in data["__schema"]["queryType"]["fields"]]
    assert names == ["public", "mine", "secret", "owned", "user"]
    everything = [
        entry["name"] for kind in ("types", "directives") for entry in data["__schema"][kind]
    ]
    assert not [
        name
        for name in everything
        if name.startswith(("_", "join", "link")) and not name.startswith("__")
    ]
    assert "authenticated" not in everything
