"""Subscriptions of a subgraph in a process of its own: it is killed and comes back, has a thousand
operations on one connection, and clients of which one does not read.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.server.app import RouterApp, create_router_app
from router.server.settings import RouterSettings
from tests.support.event_subgraph import SUPERGRAPH
from tests.support.router_server import served
from tests.support.waiting import until

ROOT = Path(__file__).parents[5]
PROTOCOL = Subprotocol("graphql-transport-ws")
LOG = "subscription { log { number } }"
LIVE = "subscription { live { number } }"


class Subgraph:
    """The process, and what it says."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self.port = port

    async def line(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 20)
        return line.decode().strip()

    def grow(self, length: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{length}\n".encode())

    async def kill(self) -> None:
        """End it without a goodbye (SIGKILL)."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


@asynccontextmanager
async def subgraph(*, port: int = 0, length: int = 0) -> AsyncGenerator[Subgraph, None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.event_subgraph", str(port), str(length)),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    started = Subgraph(process, port)
    try:
        word, _, port_text = (await started.line()).partition(" ")
        assert word == "listening"
        started.port = int(port_text)
        yield started
    finally:
        await started.kill()


def router(port: int, **settings: Any) -> RouterApp:
    chosen = {
        "environment": "test",
        "access_log": False,
        "subgraph_urls": {"things": f"http://127.0.0.1:{port}/graphql"},
        **settings,
    }
    return create_router_app(RouterSettings(**chosen), SUPERGRAPH)


@asynccontextmanager
async def client(address: str, **options: Any) -> AsyncGenerator[ClientConnection, None]:
    async with connect(
        f"ws://{address}/graphql", subprotocols=[PROTOCOL], compression=None, **options
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        assert await socket.recv() == '{"type":"connection_ack"}'
        yield socket


@asynccontextmanager
async def running(
    *, length: int = 0, **settings: Any
) -> AsyncGenerator[tuple[Subgraph, ClientConnection], None]:
    """A subgraph, a router over it, and a client of the router."""
    async with (
        subgraph(length=length) as events,
        served(router(events.port, **settings)) as address,
        client(address) as socket,
    ):
        yield events, socket


async def subscribe(socket: ClientConnection, identifier: str, query: str) -> None:
    message = {"type": "subscribe", "id": identifier, "payload": {"query": query}}
    await socket.send(orjson.dumps(message).decode())


async def receive(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = orjson.loads(await asyncio.wait_for(socket.recv(), 20))
    return message


async def numbers(socket: ClientConnection, count: int) -> list[int]:
    """The numbers of the next events; none may have an error."""
    messages = [await receive(socket) for _ in range(count)]
    return [
        entry["number"] for message in messages for entry in message["payload"]["data"].values()
    ]


async def opened(events: Subgraph) -> None:
    """Wait until the router has connected and subscribed."""
    assert await events.line() == "connection"
    assert await events.line() == "subscription"


async def test_with_a_cursor_nothing_is_lost_when_the_subgraph_is_killed() -> None:
    async with running(length=2) as (first, socket):
        await subscribe(socket, "1", LOG)
        await opened(first)
        first.grow(4)
        before = await numbers(socket, 2)

        await first.kill()
        async with subgraph(port=first.port, length=7) as second:  # 5 to 7: in between
            meanwhile = await numbers(socket, 3)
            second.grow(8)
            after = await numbers(socket, 1)

    assert (before, meanwhile, after) == ([3, 4], [5, 6, 7], [8])


async def test_a_client_that_began_at_a_cursor_misses_nothing_before_its_first_event() -> None:
    async with running() as (first, socket):
        await subscribe(socket, "1", 'subscription { log(after: "0") { number } }')
        await opened(first)

        await first.kill()
        async with subgraph(port=first.port, length=2):
            got = await numbers(socket, 2)

    assert got == [1, 2]


async def test_without_a_cursor_a_lost_subscription_ends_with_an_error() -> None:
    async with running() as (first, socket):
        await subscribe(socket, "1", LIVE)
        await opened(first)
        first.grow(1)
        assert await numbers(socket, 1) == [1]

        await first.kill()
        ended = await receive(socket)

    assert (ended["id"], ended["type"]) == ("1", "error")
    assert ended["payload"][0]["extensions"]["code"] == "SUBSCRIPTION_CONNECTION_LOST"


async def test_without_a_cursor_it_may_go_on_and_the_gap_is_told() -> None:
    async with running(subscription_on_gap="resubscribe") as (first, socket):
        await subscribe(socket, "1", LIVE)
        await opened(first)
        first.grow(1)
        assert await numbers(socket, 1) == [1]

        await first.kill()
        async with subgraph(port=first.port, length=3) as second:
            gap = await receive(socket)
            await opened(second)
            second.grow(4)
            after = await numbers(socket, 1)

    assert gap["type"] == "next"
    assert gap["payload"]["data"] is None
    assert gap["payload"]["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_GAP"
    assert after == [4]


async def test_a_subgraph_that_stays_away_is_given_up() -> None:
    async with running(subscription_resubscribe_timeout=0.3) as (first, socket):
        await subscribe(socket, "1", LOG)
        await opened(first)
        first.grow(1)
        assert await numbers(socket, 1) == [1]

        await first.kill()
        ended = await receive(socket)

    assert ended["type"] == "error"
    assert ended["payload"][0]["extensions"]["code"] == "SUBSCRIPTION_CONNECTION_LOST"


async def test_a_thousand_operations_have_one_connection_upstream() -> None:
    async with running(websocket_max_operations=1000) as (events, socket):
        for number in range(1000):
            await subscribe(socket, str(number), LOG)
        lines = [await events.line() for _ in range(1001)]
        events.grow(2)
        messages = [await receive(socket) for _ in range(2000)]

    assert sorted(lines) == ["connection"] + ["subscription"] * 1000
    got: dict[str, list[int]] = {}
    for message in messages:
        got.setdefault(message["id"], []).append(message["payload"]["data"]["log"]["number"])
    assert got == {str(number): [1, 2] for number in range(1000)}


async def _are(count: int, things: Collection[object]) -> bool:
    return len(things) == count


async def _read_on(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


@pytest.mark.parametrize("shared", [(), ("*",)], ids=["sources of their own", "one source"])
async def test_a_client_that_does_not_read_holds_up_nobody_else(shared: tuple[str, ...]) -> None:
    query = "subscription { live { number text(size: 200000) } }"
    async with subgraph() as events:
        app = router(
            events.port,
            subscription_shared_fields=shared,
            websocket_close_timeout=0.2,
        )
        async with (
            served(app) as address,
            client(address, max_queue=1) as slow,
            client(address) as fast,
        ):
            await subscribe(slow, "1", query)
            await opened(events)
            await subscribe(fast, "1", query)
            if shared:
                generation = app._generations.current
                await until(lambda: _are(2, generation.subscriptions.members))
            else:
                assert await events.line() == "subscription"

            got = []
            for number in range(1, 101):  # 20 MB: more than sockets and the queue hold
                events.grow(number)
                got += await numbers(fast, 1)
            await until(lambda: _are(1, app._websocket._connections))

            with pytest.raises(ConnectionClosed):
                await _read_on(slow)

    assert got == list(range(1, 101))
    closed = app.metrics.connections.websockets_closed.labels("4413")
    assert closed._value.get() == 1
