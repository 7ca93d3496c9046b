"""A subgraph on a real socket that answers with whatever bytes a test wants, well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import orjson

__all__ = ["Behaviour", "RawSubgraph", "http", "says", "serving"]

JSON_TYPE = "content-type: application/json"
Behaviour: TypeAlias = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]
"""Gets a request's body and the connection; returning closes nothing."""


class RawSubgraph:
    """Behaves as told; ``requests`` are the bodies it got, ``heads`` the lines before them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.url = ""
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                body = orjson.loads(await reader.readexactly(length))
                self.heads.append(head)
                self.requests.append(body)
                await self.behaviour(body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the router has had enough, or the test is over
        finally:
            writer.transport.abort()
            self._open.discard(task)

    async def stop(self) -> None:
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)


@asynccontextmanager
async def serving(*subgraphs: RawSubgraph) -> AsyncIterator[None]:
    """Serve subgraphs, each on a port of its own."""
    servers = [await asyncio.start_server(one.serve, "127.0.0.1", 0) for one in subgraphs]
    for one, server in zip(subgraphs, servers, strict=True):
        one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    try:
        yield
    finally:
        for one, server in zip(subgraphs, servers, strict=True):
            server.close()
            await one.stop()
            await server.wait_closed()


def http(
    body: bytes, *, status: int = 200, headers: str = "content-type: application/json"
) -> bytes:
    """Return an HTTP response."""
    return (
        f"HTTP/1.1 {status} Whatever\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


def says(*parts: bytes) -> Behaviour:
    """Return the behaviour of writing bytes."""

    async def behave(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return behave
