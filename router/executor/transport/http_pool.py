"""A pool of HTTP/1.1 connections to one plain-HTTP subgraph.

Our own because the hot path needs it: a request costs a fraction of what the general-purpose
clients take (``python -m benchmarks.executor.http``). It does what the router needs and no more:
POST with a body, kept-alive connections, a bounded number of them, a bounded queue for them.

A server may close an idle connection just when a request is sent on it. A query is then sent
again, once, on a fresh connection; that is no retry in the sense of ``retries``: the server has
not seen the request. A mutation must not be sent twice, so it takes a connection only if that was
in use a moment ago.
"""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401 - looking up a host imports it, 20 ms; not in the first request
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from router.executor.transport.base import (
    RESPONSE_CONTENT_TYPES,
    NotReachedError,
    SubgraphRequest,
    SubgraphResponse,
    TooManyWaitingError,
    TransportError,
)
from router.executor.transport.encoding import ACCEPT_ENCODING
from router.executor.transport.http_connection import ConnectionDiedError, HttpConnection
from router.executor.transport.multipart import MultipartBody

if TYPE_CHECKING:
    from router.executor.transport.settings import TransportSettings

__all__ = ["OWN_HEADERS", "HttpPool", "tcp_connector", "unix_connector"]

_Connector = Callable[[Callable[[], HttpConnection]], Awaitable[HttpConnection]]

OWN_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to one connection or message: never forwarded."""

_JUST_USED: Final = 1.0


def tcp_connector(host: str, port: int) -> _Connector:
    """Return what opens TCP connections."""

    async def connect(factory: Callable[[], HttpConnection]) -> HttpConnection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(factory, host, port)
        return connection

    return connect


def unix_connector(path: str) -> _Connector:
    """Return what opens connections to a unix socket."""

    async def connect(factory: Callable[[], HttpConnection]) -> HttpConnection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(factory, path)
        return connection

    return connect


class HttpPool:
    """Sends requests to one server.

    ``target`` is the request target, ``host`` the value of the Host header.
    """

    def __init__(
        self, connect: _Connector, *, host: str, target: str, settings: TransportSettings
    ) -> None:
        self._connect = connect
        self._settings = settings
        encoding = f"accept-encoding: {ACCEPT_ENCODING}\r\n" if settings.compression else ""
        line = f"POST {target} HTTP/1.1\r\nhost: {host}\r\n"
        wanted = f"accept: {RESPONSE_CONTENT_TYPES}\r\n{encoding}"
        self._head = f"{line}content-type: application/json\r\n{wanted}".encode("ascii")
        self._form_head = f"{line}{wanted}".encode("ascii")
        self._turns = asyncio.Semaphore(settings.max_connections)  # first come, first served
        self._waiting = 0
        self._running = 0
        self._idle: list[HttpConnection] = []
        self._busy: set[HttpConnection] = set()
        self._is_closed = False

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send a request. Raises TransportError."""
        form = MultipartBody(request) if request.files else None
        data = self._encode(request, form)
        await self._wait_for_turn()
        self._running += 1
        try:
            connection = self._find_idle(request.repeatable)
            if connection is not None:
                try:
                    return await self._request(connection, data, form)
                except ConnectionDiedError:
                    if not request.repeatable:
                        raise
            return await self._request(await self._open(), data, form)
        finally:
            self._running -= 1
            self._turns.release()

    async def aclose(self) -> None:
        """Close all connections; requests under way fail."""
        self._is_closed = True
        connections = [*self._idle, *self._busy]
        self._idle.clear()
        for connection in connections:
            connection.close()
        for connection in connections:
            await connection.wait_closed()

    def _encode(self, request: SubgraphRequest, form: MultipartBody | None) -> bytes:
        """Return the request, or its head if the body is a form."""
        parts = [self._head if form is None else self._form_head]
        for name, value in request.headers:
            if name.lower() in OWN_HEADERS:
                continue
            line = f"{name}: {value}"
            if "\r" in line or "\n" in line:
                raise TransportError("A header to be forwarded has a line break.")
            parts.append(line.encode("latin-1", "replace") + b"\r\n")
        if form is None:
            parts.append(b"content-length: %d\r\n\r\n" % len(request.body))
            parts.append(request.body)
        else:
            parts += (f"{name}: {value}\r\n".encode("ascii") for name, value in form.headers)
            parts.append(b"content-length: %d\r\n\r\n" % form.length)
        return b"".join(parts)

    async def _wait_for_turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()  # at once
            return
        if self._waiting >= self._settings.max_waiting:
            raise TooManyWaitingError("Too many requests wait for the subgraph.")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1

    # connections: at most one for each turn, those that are idle included

    def _find_idle(self, repeatable: bool) -> HttpConnection | None:
        """Take the connection that was used last, if it is fit for such a request."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle[-1]
            unused = now - (connection.last_used or 0.0)
            if connection.is_open and unused <= self._settings.keep_alive:
                if not repeatable and unused > _JUST_USED:
                    return None  # queries may still have it
                return self._idle.pop()
            self._idle.pop().close()
        return None

    async def _open(self) -> HttpConnection:
        if self._is_closed:
            raise NotReachedError("The connections to the subgraph are closed.")
        while self._idle and len(self._idle) + self._running > self._settings.max_connections:
            self._idle.pop(0).close()  # the one that has been idle for longest
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                return await self._connect(self._make)
        except OSError:  # a timeout is one, too
            raise NotReachedError("The subgraph cannot be reached.") from None

    def _make(self) -> HttpConnection:
        return HttpConnection(self._settings.max_response_size)

    async def _request(
        self, connection: HttpConnection, data: bytes, form: MultipartBody | None
    ) -> SubgraphResponse:
        self._busy.add(connection)
        try:
            if form is None:
                return await connection.request(data)
            return await connection.request(data, form.chunks())
        finally:
            self._busy.discard(connection)
            if connection.is_open and not self._is_closed:
                self._idle.append(connection)
            else:
                connection.close()
