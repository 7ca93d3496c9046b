"""WebSocket connections over the network, by the ``websockets`` library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from router.executor.transport.graphql_ws import (
    SUBPROTOCOL,
    WebSocketClosedError,
    WebSocketConnection,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from router.executor.transport.settings import TransportSettings

__all__ = ["websocket_connector"]


class _NetworkConnection:
    """A connection of the ``websockets`` library.

    The library sends pings and notices a peer that is gone. It also stops reading from one that
    sends faster than its messages are taken.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def close(self, code: int, reason: str) -> None:
        await self._connection.close(code, reason)


def _closed(closed: ConnectionClosed) -> WebSocketClosedError:
    return WebSocketClosedError(None if closed.rcvd is None else closed.rcvd.code)


def websocket_connector(
    url: str,
    settings: TransportSettings,
    *,
    unix_path: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> Callable[[], Awaitable[WebSocketConnection]]:
    """Return what opens connections to ``url`` (``ws:``, ``wss:``), maybe over a unix socket."""

    async def open_connection() -> WebSocketConnection:
        subprotocols = [Subprotocol(SUBPROTOCOL)]
        try:
            if unix_path is not None:
                connection = await unix_connect(
                    unix_path,
                    url,
                    subprotocols=subprotocols,
                    max_size=settings.max_event_size,
                    ping_interval=settings.ping_interval,
                    ping_timeout=settings.ping_timeout,
                    open_timeout=None,
                    compression=None,
                )
            else:
                connection = await connect(
                    url,
                    subprotocols=subprotocols,
                    max_size=settings.max_event_size,
                    ping_interval=settings.ping_interval,
                    ping_timeout=settings.ping_timeout,
                    open_timeout=None,  # the caller has the time limit
                    compression=None,
                    proxy=None,
                    ssl=tls,
                )
        except (OSError, WebSocketException):
            raise WebSocketClosedError from None
        if connection.subprotocol != SUBPROTOCOL:
            await connection.close()
            raise WebSocketClosedError
        return _NetworkConnection(connection)

    return open_connection
