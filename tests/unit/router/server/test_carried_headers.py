"""Headers that the answers to mutations give and later requests bring along."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from router.composition import SubgraphInput, compose
from router.executor.context import JsonObject
from router.executor.transport.base import SubgraphRequest, SubgraphResponse
from router.server.app import RouterApp, create_router_app
from router.server.settings import RouterSettings
from tests.support.router_server import served

TOKEN = "x-token"
SDL = """
type Query {{ {0}: Int! }}
type Mutation {{ {0}Write: Int! }}
type Subscription {{ {0}Events: Int! }}
"""


class Numbered:
    """A subgraph whose every answer has a token: its name and a number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tokens: list[list[str]] = []  # those that each request brought
        self._numbers = itertools.count(1)

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        self._note(request)
        query = orjson.loads(request.body)["query"]
        field = f"{self.name}Write" if "mutation" in query else self.name
        token = f"{self.name}{next(self._numbers)}"
        return SubgraphResponse(200, orjson.dumps({"data": {field: 1}}), ((TOKEN, token),))

    async def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject, None]:
        self._note(request)
        yield {"data": {f"{self.name}Events": 1}}

    async def aclose(self) -> None:
        """Nothing is open."""

    def _note(self, request: SubgraphRequest) -> None:
        self.tokens.append([value for name, value in request.headers if name == TOKEN])


@pytest.fixture
def subgraphs() -> dict[str, Numbered]:
    return {name: Numbered(name) for name in ("a", "b")}


def make_router(subgraphs: dict[str, Numbered], **settings: Any) -> RouterApp:
    chosen = {"environment": "test", "access_log": False, "carried_headers": ["X-Token"]}
    composed = compose([SubgraphInput(name, "http://x", SDL.format(name)) for name in subgraphs])
    assert composed.supergraph_sdl is not None
    return create_router_app(
        RouterSettings.model_validate(chosen | settings),
        composed.supergraph_sdl,
        transports=dict(subgraphs),
    )


@asynccontextmanager
async def client_of(app: RouterApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client


async def ask(
    client: httpx.AsyncClient, query: str, token: str | None = None
) -> tuple[list[str], dict[str, Any]]:
    """The tokens among the answer's headers, and its body."""
    headers = {} if token is None else {TOKEN: token}
    response = await client.post("/graphql", json={"query": query}, headers=headers)
    return response.headers.get_list(TOKEN), response.json()


async def test_later_fetches_of_a_mutation_bring_what_earlier_ones_gave(
    subgraphs: dict[str, Numbered],
) -> None:
    async with client_of(make_router(subgraphs)) as client:
        tokens, body = await ask(client, "mutation { aWrite bWrite again: aWrite }", "mine")

    assert subgraphs["a"].tokens == [["mine"], ["mine", "a1", "b1"]]
    assert subgraphs["b"].tokens == [["mine", "a1"]]
    assert tokens == ["a1", "b1", "a2"]
    assert body["extensions"] == {"headers": {TOKEN: "a1, b1, a2"}}


async def test_queries_are_forwarded_the_clients_and_give_none(
    subgraphs: dict[str, Numbered],
) -> None:
    async with client_of(make_router(subgraphs)) as client:
        tokens, body = await ask(client, "{ a b }", "mine")

    assert (tokens, body) == ([], {"data": {"a": 1, "b": 1}})
    assert [subgraph.tokens for subgraph in subgraphs.values()] == [[["mine"]], [["mine"]]]


async def test_header_rules_come_after_what_is_carried(subgraphs: dict[str, Numbered]) -> None:
    rules = [{"remove": TOKEN, "subgraphs": ["b"]}]
    async with client_of(make_router(subgraphs, header_rules=rules)) as client:
        await ask(client, "mutation { aWrite bWrite again: aWrite }", "mine")

    assert subgraphs["a"].tokens == [["mine"], ["mine", "a1", "b1"]]
    assert subgraphs["b"].tokens == [[]]


async def test_without_the_setting_nothing_is_carried(subgraphs: dict[str, Numbered]) -> None:
    async with client_of(make_router(subgraphs, carried_headers=[])) as client:
        tokens, body = await ask(client, "mutation { aWrite bWrite }", "mine")

    assert (tokens, body) == ([], {"data": {"aWrite": 1, "bWrite": 1}})
    assert subgraphs["b"].tokens == [[]]


async def test_pages_may_send_and_read_carried_headers(subgraphs: dict[str, Numbered]) -> None:
    app = make_router(subgraphs, cors_origins=["https://page"])
    preflight = {
        "origin": "https://page",
        "access-control-request-method": "POST",
        "access-control-request-headers": TOKEN,
    }
    async with client_of(app) as client:
        allowed = await client.options("/graphql", headers=preflight)
        answer = await client.post(
            "/graphql", json={"query": "{ a }"}, headers={"origin": "https://page"}
        )

    assert TOKEN in allowed.headers["access-control-allow-headers"].lower()
    assert TOKEN in answer.headers["access-control-expose-headers"]


async def test_a_websocket_brings_along_what_its_mutations_gave(
    subgraphs: dict[str, Numbered],
) -> None:
    async with served(make_router(subgraphs)) as address:
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:

            async def run(query: str) -> dict[str, Any]:
                message = {"type": "subscribe", "id": "1", "payload": {"query": query}}
                await socket.send(orjson.dumps(message).decode())
                answer: dict[str, Any] = orjson.loads(await socket.recv())
                assert answer["type"] == "next", answer
                assert orjson.loads(await socket.recv())["type"] == "complete"
                return dict(answer["payload"])

            await socket.send('{"type": "connection_init"}')
            assert orjson.loads(await socket.recv())["type"] == "connection_ack"
            written = await run("mutation { aWrite }")
            await run("mutation { bWrite }")
            await run("{ a }")
            await run("subscription { aEvents }")

    assert written["extensions"] == {"headers": {TOKEN: "a1"}}
    assert subgraphs["b"].tokens == [["a1"]]
    assert subgraphs["a"].tokens == [[], ["b1"], []]


def test_the_routers_own_secret_is_never_carried() -> None:
    with pytest.raises(ValidationError, match="cannot be forwarded"):
        RouterSettings.model_validate({"carried_headers": ["router-authorization"]})
