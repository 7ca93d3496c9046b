"""``python -m benchmarks.subscriptions [--clients 2000] [--events 50]``: what subscribers cost.

One worker of ``python -m router serve``, a subgraph in a process of its own, and this process with
as many connections, each with one subscription to the same field, by WebSocket or as a stream of
Server-Sent Events. Memory is the growth of the router's resident set from the first 100 connections
on; CPU is the router's, user and system, divided by the events that clients got. Once every
subscription has a source upstream (all on one connection), once they share one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
from abc import abstractmethod
from asyncio.subprocess import PIPE, Process
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, cast

import uvloop
from typing_extensions import override

from tests.support.event_subgraph import SUPERGRAPH
from tests.support.router_processes import router_process

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_WARM = 100
_LENGTH = 1_000_000  # of the log at first: all numbers have as many digits, all frames are alike
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: router\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
_INIT = '{"type":"connection_init"}'
_QUERY = '{"query":"subscription{live{number cursor}}"}'
_SUBSCRIBE = f'{{"id":"1","type":"subscribe","payload":{_QUERY}}}'
_STREAM = (
    "POST /graphql HTTP/1.1\r\nHost: router\r\nAccept: text/event-stream\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(_QUERY)}\r\n\r\n{_QUERY}"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one subscriber in bytes, of one event in seconds of the CPU; pushed events per second."""

    bytes: float
    cpu: float
    rate: float


class Client(asyncio.Protocol):
    """A connection with one subscription that counts what comes; nothing is parsed."""

    def __init__(self) -> None:
        self.received = 0
        self._wanted = 0
        self._reached: asyncio.Future[None] | None = None
        self._transport: asyncio.WriteTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    @override
    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self._reached is not None and self.received >= self._wanted:
            self._reached.set_result(None)
            self._reached = None

    async def until(self, received: int) -> None:
        """Wait until so many bytes have come."""
        if self.received < received:
            self._wanted = received
            self._reached = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self._reached, 20)

    def write(self, data: bytes) -> None:
        """Send some bytes."""
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        """Leave without a goodbye."""
        assert self._transport is not None
        self._transport.abort()

    @abstractmethod
    async def subscribe(self) -> None:
        """Begin; the subscription is under way a moment later."""

    @abstractmethod
    def size(self, response: str) -> int:
        """Return how many bytes an event with this response is."""


class WebSocketClient(Client):
    """By graphql-transport-ws."""

    @override
    async def subscribe(self) -> None:
        self.write(_HANDSHAKE)
        await self.until(1)
        answered = self.received
        self._send(_INIT)
        await self.until(answered + 1)
        self._send(_SUBSCRIBE)

    @override
    def size(self, response: str) -> int:
        size = len(f'{{"id":"1","type":"next","payload":{response}}}')
        return size + (2 if size < 126 else 4)

    def _send(self, text: str) -> None:
        """Send a frame, masked with zeros."""
        size = len(text)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        self.write(head + bytes(4) + text.encode())


class StreamClient(Client):
    """By Server-Sent Events, each in a chunk of its own."""

    @override
    async def subscribe(self) -> None:
        self.write(_STREAM.encode())

    @override
    def size(self, response: str) -> int:
        size = len(f"event: next\ndata: {response}\n\n")
        return len(f"{size:x}\r\n\r\n") + size


async def _measure(kind: type[Client], clients: int, events: int, *, shared: bool) -> Cost:
    async with _subgraph() as (subgraph, port):
        settings = {
            "ROUTER_SUBGRAPH_URLS": f'{{"things":"http://127.0.0.1:{port}/graphql"}}',
            "ROUTER_SUBSCRIPTION_SHARED_FIELDS": '["*"]' if shared else "[]",
            "ROUTER_STREAM_HEARTBEAT_INTERVAL": "3600",  # only events are to be counted
        }
        with TemporaryDirectory() as folder:
            file = Path(folder) / "supergraph.graphql"
            file.write_text(SUPERGRAPH)
            async with router_process(file, **settings) as (router, url):
                return await _drive(kind, clients, events, subgraph, router.pid, url, shared=shared)


async def _drive(
    kind: type[Client],
    clients: int,
    events: int,
    subgraph: Process,
    router: int,
    url: str,
    *,
    shared: bool,
) -> Cost:
    host, _, port = url.removeprefix("http://").rpartition(":")
    connected = [await _connect(kind, host, int(port)) for _ in range(_WARM)]
    await _subscribed(subgraph, 1 if shared else _WARM)
    before = _memory(router)
    connected += [await _connect(kind, host, int(port)) for _ in range(clients)]
    await _subscribed(subgraph, 0 if shared else clients)
    size = (_memory(router) - before) / clients

    await _push(subgraph, connected, _LENGTH + 1)  # warm: the first event runs what is made once
    cpu, started = _cpu(router), perf_counter()
    for number in range(2, events + 2):
        await _push(subgraph, connected, _LENGTH + number)
    pushed = events * len(connected)
    cost = Cost(size, (_cpu(router) - cpu) / pushed, pushed / (perf_counter() - started))
    for client in connected:
        client.close()
    return cost


async def _connect(kind: type[Client], host: str, port: int) -> Client:
    _, client = await asyncio.get_running_loop().create_connection(kind, host, port)
    await client.subscribe()
    return client


async def _push(subgraph: Process, clients: list[Client], number: int) -> None:
    """Have one event sent to every client, and wait until it is there."""
    response = f'{{"data":{{"live":{{"number":{number},"cursor":"{number}"}}}}}}'
    waiting = [client.until(client.received + client.size(response)) for client in clients]
    assert subgraph.stdin is not None
    subgraph.stdin.write(f"{number}\n".encode())
    await asyncio.gather(*waiting)


async def _subscribed(subgraph: Process, count: int) -> None:
    assert subgraph.stdout is not None
    while count:
        line = await asyncio.wait_for(subgraph.stdout.readline(), 20)
        count -= line == b"subscription\n"
    await asyncio.sleep(1)  # what else the connections do at first


@asynccontextmanager
async def _subgraph() -> AsyncGenerator[tuple[Process, int], None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.event_subgraph", "0", str(_LENGTH)),
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        yield process, int((await process.stdout.readline()).split()[1])
    finally:
        process.kill()
        await process.wait()


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


async def _main(clients: int, events: int) -> None:
    print(f"{clients} subscribers on one worker, {events} events to each.\n")
    print("| | sources upstream | KB per idle subscriber | CPU µs per event | events per second |")
    print("| --- | --- | ---: | ---: | ---: |")
    for transport, kind in (("WebSocket", WebSocketClient), ("SSE", StreamClient)):
        for shared in (False, True):
            cost = await _measure(kind, clients, events, shared=shared)
            name = "one for all (`ROUTER_SUBSCRIPTION_SHARED_FIELDS`)" if shared else "one each"
            print(
                f"| {transport} | {name} | {cost.bytes / 1024:.1f} | {cost.cpu * 1e6:.1f} "
                f"| {cost.rate:,.0f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--events", type=int, default=50)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_main(options.clients, options.events))


if __name__ == "__main__":
    main()
