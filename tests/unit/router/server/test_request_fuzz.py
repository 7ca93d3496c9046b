"""Random and spoilt requests on every way in: answered in kind, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.router_server import ThingsSubgraph, make_app, served

QUERIES = [
    "{ greeting }",
    'query Q($n: String = "x") { a: greeting(name: $n) ...F __typename }'
    " fragment F on Query { slow: failing }",
    "query ($f: Filter!) { nested(filter: $f) @include(if: true) big(size: 3) }",
    "mutation { bump }",
    "{ __schema { types { name fields { name type { name ofType { name } } } } } }",
    'query { __type(name: "Query") { name } ... on Query { greeting(name: """block""") } }',
    "subscription { ticks(count: 2) }",
]
VARIABLES: list[Any] = [{}, {"n": "y"}, {"f": {"text": "t"}}, {"f": {"text": 1}}, {"n": [1]}, None]
SPLICES = ["{", "}", "(", ")", '"', "...", "$", "@", ":", "\x00", "\ud83d", "é", "#", "\\u", "null"]
TYPES = ["subscribe", "complete", "ping", "pong", "next", "connection_init"]
ROUNDS = 40


def spoil(text: str, rng: random.Random) -> str:
    """Cut, repeat, swap and splice."""
    for _ in range(rng.randint(0, 4)):
        at, to = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        piece = text[at:to]
        text = rng.choice(
            (
                text[:at] + text[to:],
                text[:at] + piece * rng.randint(2, 5) + text[to:],
                text[:at] + rng.choice(SPLICES) + text[at:],
                text[:at] + rng.choice(QUERIES) + text[to:],
                text[:at] + piece[::-1] + text[to:],
            )
        )
    return text


def message(rng: random.Random) -> dict[str, Any]:
    return {
        "query": spoil(rng.choice(QUERIES), rng),
        "variables": rng.choice(VARIABLES),
        "operationName": rng.choice([None, "Q", "", 7]),
        "extensions": rng.choice([None, {}, {"persistedQuery": {"version": 1}}, []]),
    }


def spoilt_bytes(text: str, rng: random.Random) -> bytes:
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(rng.randint(0, 3)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.randint(0, len(data))] if rng.random() < 0.2 else data)


def check(response: httpx.Response) -> None:
    assert response.status_code < 500, response.text
    assert "Traceback" not in response.text
    answer = response.json()
    for error in answer.get("errors", ()) if isinstance(answer, dict) else ():
        assert isinstance(error["message"], str)
        assert error["extensions"]["code"] not in {"INTERNAL_SERVER_ERROR", None}


@pytest.mark.parametrize("seed", range(6))
async def test_http_answers_spoilt_requests_in_kind(seed: int) -> None:
    rng = random.Random(seed)
    transport = httpx.ASGITransport(make_app(ThingsSubgraph()))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        for _ in range(ROUNDS):
            text = json.dumps(message(rng))
            check(
                await client.post(
                    "/graphql",
                    content=spoilt_bytes(text, rng),
                    headers={
                        "content-type": rng.choice(["application/json", "text/plain", "a/b;;="]),
                        "accept": rng.choice(["*/*", "application/json", ",;q=x", "text/event"]),
                        "x-request-id": rng.choice(["a", "{}", "x" * 300]),
                        "traceparent": rng.choice(["00-x", "", "00-" + "0" * 32 + "-1-00"]),
                    },
                )
            )


@pytest.mark.parametrize("seed", range(6))
async def test_get_answers_spoilt_query_strings_in_kind(seed: int) -> None:
    rng = random.Random(seed)
    transport = httpx.ASGITransport(make_app(ThingsSubgraph(), graphiql=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        for _ in range(ROUNDS):
            parts = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in message(rng).items()
            }
            encoded = "&".join(
                f"{name}={quote(spoilt_bytes(value, rng))}" for name, value in parts.items()
            )
            url = httpx.URL(scheme="http", host="router", path="/graphql", query=encoded.encode())
            check(await client.get(url, headers={"x-apollo-operation-name": "q"}))


@pytest.mark.parametrize("seed", range(3))
async def test_websocket_takes_spoilt_messages_and_leaves_nothing(seed: int) -> None:
    rng = random.Random(seed)
    before = asyncio.all_tasks()
    things = ThingsSubgraph()
    things.release.set()
    async with served(make_app(things)) as address:
        for _ in range(12):
            await _talk(address, rng)
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            answer = await client.post("/graphql", json={"query": "{ greeting }"})
            assert answer.json() == {"data": {"greeting": "Hello, world!"}}
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert left == set()


async def _talk(address: str, rng: random.Random) -> None:
    closed: ConnectionClosed | None = None
    protocol = [Subprotocol("graphql-transport-ws")]
    async with connect(f"ws://{address}/graphql", subprotocols=protocol) as socket:
        try:
            await socket.send('{"type":"connection_init"}')
            for number in range(rng.randint(1, 6)):
                kind = rng.choice(
                    ["subscribe", "complete", "ping", "pong", "next", "connection_init"]
                )
                body = {"id": str(number % 3), "type": kind, "payload": message(rng)}
                data = spoilt_bytes(json.dumps(body), rng) if rng.random() < 0.5 else None
                text = json.dumps(body) if data is None else data.decode("utf-8", "replace")
                await socket.send(data if data is not None and rng.random() < 0.2 else text)
            await socket.send('{"type":"ping"}')
            async with asyncio.timeout(5):
                while "pong" not in str(await socket.recv()):
                    pass
        except ConnectionClosed as error:
            closed = error
    if closed is not None:
        assert closed.rcvd is not None
        assert 4400 <= closed.rcvd.code < 4500
