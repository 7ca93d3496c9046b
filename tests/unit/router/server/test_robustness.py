"""Whatever is sent, the router answers in kind: no 500, no traceback, no leaked task."""

import asyncio
from typing import Any

import httpx
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.router_server import ThingsSubgraph, make_app, served

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
VOCABULARY = """
    { } ( ) [ ] : ! $ = @ | & ... # " query mutation subscription fragment on greeting failing
    nested filter big size bump ticks n x 1 -2.5 null true skip
    include if __typename __schema Query Filter
"""
WORDS = st.sampled_from(VOCABULARY.split())
DOCUMENTS = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=30)
REQUESTS = st.fixed_dictionaries(
    {"query": DOCUMENTS},
    optional={"operationName": JSON, "variables": JSON, "extensions": JSON},
)


def _encodable(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates, integers beyond 64 bits
        return repr(value).encode("utf-8", "surrogateescape")


BODIES = st.binary(max_size=50) | JSON.map(_encodable) | REQUESTS.map(_encodable)


@settings(max_examples=150, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=5))
def test_http_answers_every_body(bodies: list[bytes]) -> None:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(make_app(ThingsSubgraph()))
        async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
            return [
                await client.post(
                    "/graphql", content=body, headers={"content-type": "application/json"}
                )
                for body in bodies
            ]

    for response in asyncio.run(ask()):
        assert response.status_code in {200, 400, 406}
        answer = response.json()
        assert "data" in answer or answer["errors"][0]["extensions"]["code"]
        assert "Traceback" not in response.text


@settings(max_examples=25, deadline=None)
@given(st.lists(JSON.map(_encodable) | REQUESTS.map(_encodable), min_size=1, max_size=5))
def test_websocket_survives_every_message(payloads: list[bytes]) -> None:
    async def talk() -> None:
        async with served(make_app(ThingsSubgraph())) as address:
            for payload in payloads:
                await _say(address, payload.decode("utf-8", "replace"))
            async with httpx.AsyncClient(base_url=f"http://{address}") as client:
                assert (await client.get("/health")).status_code == 200
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert {task.get_name() for task in others if not task.done()} == set()

    asyncio.run(talk())


async def _say(address: str, payload: str) -> None:
    protocol = [Subprotocol("graphql-transport-ws")]
    async with connect(f"ws://{address}/graphql", subprotocols=protocol) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        await socket.send(f'{{"type":"subscribe","id":"1","payload":{payload}}}')
        try:
            message = orjson.loads(await socket.recv())
        except ConnectionClosed as error:
            close_frame = error.rcvd
        else:
            assert message["type"] in {"next", "error", "complete"}
            return
    assert close_frame is not None
    assert close_frame.code == 4400
