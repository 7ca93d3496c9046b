"""uvicorn's HTTP protocol, with two endings of our own.

ASGI does not tell a running request that the server stops, and uvicorn waits for peers that do not
read to take what is buffered, which such a peer never does. A subscription needs to know the one
and to be able to end the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from router.server.http.subscription_stream import CONNECTION_EXTENSION

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["HttpProtocol"]


class _Connection:
    """What requests see of their connection: a ``StreamConnection``. It does not know the protocol:
    a cycle of references would keep closed connections in memory.
    """

    __slots__ = ("_transport", "on_stop")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.on_stop: Callable[[], None] | None = None

    def abort(self) -> None:
        self._transport.abort()


class HttpProtocol(HttpToolsProtocol):
    """One connection; its requests find it as the ASGI extension ``router.http.connection``."""

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._connection = _Connection(transport)
        self._extensions = {CONNECTION_EXTENSION: {"connection": self._connection}}

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)["extensions"] = self._extensions

    @override
    def shutdown(self) -> None:
        super().shutdown()
        if self._connection.on_stop is not None:
            self._connection.on_stop()
