"""Streams of GraphQL results over HTTP, read from a real socket by parsers that forgive nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson

EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"

_PART_HEAD = b"\r\ncontent-type: application/json\r\n\r\n"
_DELIMITER = b"\r\n--graphql"


class HttpStream:
    """The answer of one request: its status and headers, then what comes, chunk by chunk."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = b""
        self._has_ended = False
        self.status = 0
        self.headers: dict[str, str] = {}

    async def begin(self) -> None:
        async with asyncio.timeout(5):
            head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")[:-2]
        self.status = int(first.split(" ")[1])
        self.headers = dict(line.split(": ", 1) for line in lines)

    async def event(self) -> tuple[str, Any]:
        """Return the next event and its data; comments are events named ``:``."""
        block = (await self._until(b"\n\n")).decode()
        if block == ":":
            return ":", None
        name, data = block.split("\n")
        assert name.startswith("event: "), block
        assert data == "data:" or data.startswith("data: "), block
        return name[7:], orjson.loads(data[6:]) if data[6:] else None

    async def open_parts(self) -> None:
        """Read what comes before the first part: nothing."""
        assert await self._until(_DELIMITER) == b""

    async def part(self) -> Any:
        """Return the next part's JSON, None behind the last one."""
        await self._fill(2)
        if self._buffer.startswith(b"--"):
            assert await self.rest() == b"--\r\n"
            return None
        assert await self._until(_PART_HEAD) == b""
        return orjson.loads(await self._until(_DELIMITER))

    async def rest(self) -> bytes:
        """Return what is left up to the response's end, which must come."""
        while not self._has_ended:
            await self._read()
        rest, self._buffer = self._buffer, b""
        return rest

    async def plain(self) -> Any:
        """Return a body that is no stream, which is JSON."""
        async with asyncio.timeout(5):
            return orjson.loads(await self._reader.readexactly(int(self.headers["content-length"])))

    async def closed(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(5):
            try:
                while await self._reader.read(65_536):
                    pass
            except ConnectionError:
                pass

    def abort(self) -> None:
        """Hang up."""
        self._writer.transport.abort()

    async def _until(self, separator: bytes) -> bytes:
        while separator not in self._buffer:
            await self._read()
        found, _, self._buffer = self._buffer.partition(separator)
        return found

    async def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            await self._read()

    async def _read(self) -> None:
        assert not self._has_ended, self._buffer
        async with asyncio.timeout(5):
            if "content-length" in self.headers:
                self._buffer += await self._reader.readexactly(int(self.headers["content-length"]))
                self._has_ended = True
                return
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            chunk = await self._reader.readexactly(size + 2)
        assert chunk.endswith(b"\r\n")
        self._has_ended = size == 0
        self._buffer += chunk[:-2]


@asynccontextmanager
async def streamed(
    address: str,
    query: str,
    *,
    accept: str = EVENT_STREAM,
    headers: dict[str, str] | None = None,
    raw: bytes | None = None,
) -> AsyncGenerator[HttpStream, None]:
    """Send a POST request (or ``raw`` in place of it), and read the head of its answer."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(raw if raw is not None else _post(query, accept, headers or {}))
        stream = HttpStream(reader, writer)
        await stream.begin()
        yield stream
    finally:
        writer.transport.abort()


def _post(query: str, accept: str, headers: dict[str, str]) -> bytes:
    body = orjson.dumps({"query": query})
    lines = [
        "POST /graphql HTTP/1.1",
        "host: router",
        f"accept: {accept}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
