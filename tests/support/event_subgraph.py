"""A subgraph with a log of events, as a process of its own that a test may kill and start again.

``python -m tests.support.event_subgraph PORT LENGTH``: the log has the entries 1 to LENGTH, and
becomes as long as the number in each line on stdin. Lines on stdout: ``listening PORT``, then
``connection`` and ``subscription`` for each that is opened.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import orjson
from graphql import build_schema, parse, subscribe
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.router_server import SUPERGRAPH as THINGS

API = """
type Query {
  ok: Boolean
}
type Subscription {
  log(after: String): Entry!
  live: Entry!
}
type Entry {
  cursor: String!
  number: Int!
  text(size: Int!): String!
}
"""

SUPERGRAPH = THINGS[: THINGS.index("type Query")].replace(
    "{ query: Query mutation: Mutation subscription", "{ query: Query subscription"
) + API.replace(" {\n", " @join__type(graph: THINGS) {\n")


class Log:
    """The root value: ``log`` begins after a cursor, or with now, as ``live`` does."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.grown = asyncio.Condition()

    async def grow(self, length: int) -> None:
        async with self.grown:
            self.length = length
            self.grown.notify_all()

    async def log(self, _: Any, after: str | None = None) -> AsyncGenerator[dict[str, Any], None]:
        async for entry in self._entries(self.length if after is None else int(after)):
            yield {"log": entry}

    async def live(self, _: Any) -> AsyncGenerator[dict[str, Any], None]:
        async for entry in self._entries(self.length):
            yield {"live": entry}

    async def _entries(self, last: int) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            while last < self.length:
                last += 1
                yield {"cursor": str(last), "number": last, "text": _text}
            async with self.grown:
                while last >= self.length:
                    await self.grown.wait()


def _text(_: Any, size: int) -> str:
    return "x" * size


class Connection:
    """One connection of graphql-transport-ws."""

    def __init__(self, socket: ServerConnection, log: Log) -> None:
        self._socket = socket
        self._log = log
        self._schema = build_schema(API)
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        _say("connection")
        try:
            with suppress(ConnectionClosed):
                async for text in self._socket:
                    await self._take(orjson.loads(text))
        finally:
            for task in self._running.values():
                task.cancel()

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._socket.send('{"type":"connection_ack"}')
            case "subscribe":
                running = asyncio.create_task(self._subscribe(message["id"], message["payload"]))
                self._running[message["id"]] = running
            case "complete":
                self._running.pop(message["id"]).cancel()

    async def _subscribe(self, identifier: str, payload: dict[str, Any]) -> None:
        source = subscribe(
            self._schema,
            parse(payload["query"]),
            self._log,
            variable_values=payload.get("variables"),
        )
        assert isinstance(source, AsyncGenerator)
        _say("subscription")
        async for result in source:
            message = {"id": identifier, "type": "next", "payload": result.formatted}
            try:
                await self._socket.send(orjson.dumps(message).decode())
            except ConnectionClosed:
                return


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(port: int, length: int) -> None:
    """Serve until stdin ends."""
    log = Log(length)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    server = await serve(
        lambda socket: Connection(socket, log).run(),
        "127.0.0.1",
        port,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
    )
    async with server:
        _say(f"listening {next(iter(server.sockets)).getsockname()[1]}")
        async for line in reader:
            await log.grow(int(line))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
