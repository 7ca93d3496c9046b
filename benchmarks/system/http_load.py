"""Load over HTTP/1.1: a fixed number of connections, each with one request under way at a time.

Raw asyncio with httptools, because a client library would cost more CPU than the router it measures
(see the router's notes on speed), on a machine that the two share.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httptools
from typing_extensions import override

if TYPE_CHECKING:
    from benchmarks.system.model import HttpRequest

_HTTP_OK = 200


class _Connection(asyncio.Protocol):
    """One keep-alive connection; `ask` sends a request and waits for its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[bool] | None = None
        self._body = bytearray()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    @override
    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        assert self._answer is not None
        is_good = self._parser.get_status_code() == _HTTP_OK and b'"errors"' not in self._body
        self._answer.set_result(is_good)
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()

    async def ask(self, request: bytes) -> bool:
        """Send; True when the answer is 200 and has no errors."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def render(url: str, request: HttpRequest) -> bytes:
    """The bytes of a request."""
    parts = urlsplit(url)
    body = request.body.encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nAuthorization: Bearer {request.token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class HttpLoad:
    """`connections` connections to one URL, taking the requests in turn."""

    def __init__(self, url: str, requests: list[HttpRequest], connections: int) -> None:
        self._url = url
        self._requests = [render(url, request) for request in requests]
        self._connections = connections
        self._open: list[_Connection] = []
        self._next = 0

    async def open(self) -> None:
        """Connect."""
        parts = urlsplit(self._url)
        loop = asyncio.get_running_loop()
        for _ in range(self._connections):
            _, connection = await loop.create_connection(
                _Connection, parts.hostname or "127.0.0.1", parts.port or 80
            )
            self._open.append(connection)

    async def run(self, seconds: float) -> tuple[list[float], int]:
        """Keep all connections busy; latencies in seconds, and the number of bad answers."""
        latencies: list[float] = []
        errors = 0
        end = time.perf_counter() + seconds

        async def keep_busy(connection: _Connection) -> None:
            nonlocal errors
            while (started := time.perf_counter()) < end:
                self._next = (self._next + 1) % len(self._requests)
                is_good = await connection.ask(self._requests[self._next])
                latencies.append(time.perf_counter() - started)
                errors += not is_good

        await asyncio.gather(*map(keep_busy, self._open))
        return latencies, errors

    async def close(self) -> None:
        """Hang up."""
        for connection in self._open:
            connection.close()
