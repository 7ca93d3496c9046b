"""A pool of HTTP/1.1 connections to one plain-HTTP subgraph.

Our own because the hot path needs it: a request costs a fraction of what the general-purpose
clients take (``python -m benchmarks.executor.http``). It does what the router needs and no more:
POST with a body, kept-alive connections, a bounded number of them.

A server may close an idle connection just when a request is sent on it. A query is then sent
again, once, on a fresh connection. A mutation must not be sent twice, so it takes a connection
only if that was in use a moment ago.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from router.executor.transport.base import (
    RESPONSE_CONTENT_TYPES,
    SubgraphRequest,
    SubgraphResponse,
    TransportError,
)
from router.executor.transport.http_connection import ConnectionDiedError, HttpConnection

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
        self._head = (
            f"POST {target} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            f"accept: {RESPONSE_CONTENT_TYPES}\r\n"
        ).encode("ascii")
        self._idle: list[HttpConnection] = []
        self._busy: set[HttpConnection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_closed = False

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send a request. Raises TransportError."""
        data = self._encode(request)
        connection, fresh = await self._take(request.repeatable)
        try:
            return await connection.request(data)
        except ConnectionDiedError:
            if fresh or not request.repeatable:
                raise
        finally:
            self._release(connection)
        connection = await self._take_fresh()
        try:
            return await connection.request(data)
        finally:
            self._release(connection)

    async def aclose(self) -> None:
        """Close all connections; requests under way fail."""
        self._is_closed = True
        connections = [*self._idle, *self._busy]
        self._idle.clear()
        for connection in connections:
            connection.close()
        for connection in connections:
            await connection.wait_closed()

    def _encode(self, request: SubgraphRequest) -> bytes:
        parts = [self._head]
        for name, value in request.headers:
            if name.lower() in OWN_HEADERS:
                continue
            line = f"{name}: {value}"
            if "\r" in line or "\n" in line:
                raise TransportError("A header to be forwarded has a line break.")
            parts.append(line.encode("latin-1", "replace") + b"\r\n")
        parts.append(b"content-length: %d\r\n\r\n" % len(request.body))
        parts.append(request.body)
        return b"".join(parts)

    # connections

    async def _take(self, repeatable: bool) -> tuple[HttpConnection, bool]:
        """Return a connection to use, and whether it is a fresh one."""
        keep_alive = self._settings.keep_alive
        longest = keep_alive if repeatable else min(_JUST_USED, keep_alive)
        while True:
            not_before = asyncio.get_running_loop().time() - longest
            while self._idle:
                connection = self._idle.pop()
                if connection.is_open and (connection.last_used or 0.0) >= not_before:
                    self._busy.add(connection)
                    return connection, False
                connection.close()
            if not self._is_full:
                return await self._open(), True
            await self._wait_for_turn()

    async def _take_fresh(self) -> HttpConnection:
        while self._is_full:
            await self._wait_for_turn()
        return await self._open()

    @property
    def _is_full(self) -> bool:
        return len(self._busy) + self._opening >= self._settings.max_connections

    async def _open(self) -> HttpConnection:
        if self._is_closed:
            raise TransportError("The connections to the subgraph are closed.")
        if len(self._busy) + self._opening + len(self._idle) >= self._settings.max_connections:
            self._idle.pop(0).close()  # the one that has been idle for longest
        self._opening += 1
        connection: HttpConnection | None = None
        try:
            connection = await self._connect(self._make)
        except OSError:
            raise TransportError("The subgraph cannot be reached.") from None
        finally:
            self._opening -= 1
            if connection is None:
                self._wake_next()
        self._busy.add(connection)
        return connection

    def _make(self) -> HttpConnection:
        return HttpConnection(self._settings.max_response_size)

    async def _wait_for_turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake_next()  # it was our turn: pass it on
            raise
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)

    def _wake_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _release(self, connection: HttpConnection) -> None:
        self._busy.discard(connection)
        if connection.is_open and not self._is_closed:
            self._idle.append(connection)
        else:
            connection.close()
        self._wake_next()
