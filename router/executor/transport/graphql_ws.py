"""The client side of graphql-transport-ws: many operations on one WebSocket connection.

Connections are shared by all subscriptions whose ``connection_init`` payload is the same, so by
those of one client at most when that carries a token. What a connection is, is left to a connector:
``websocket`` has the network's, ``asgi`` the one inside the process.

When a connection is lost its subscriptions end with an error each; subscribing again is the
business of the layer above (``router.executor.resuming``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from router.executor.transport.base import SubscriptionError, SubscriptionFailure
from router.executor.transport.multiplexer import (
    Multiplexer,
    WebSocketClosedError,
    WebSocketConnection,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from router.executor.context import JsonObject
    from router.executor.transport.base import SubgraphRequest
    from router.executor.transport.settings import TransportSettings

__all__ = [
    "SUBPROTOCOL",
    "GraphQLWebSocketClient",
    "WebSocketClosedError",
    "WebSocketConnection",
]

SUBPROTOCOL: Final = "graphql-transport-ws"


class GraphQLWebSocketClient:
    """Subscribes at one server, over as few connections as possible."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[WebSocketConnection]],
        settings: TransportSettings,
    ) -> None:
        self._connect = connect
        self._settings = settings
        self._open: dict[bytes, Multiplexer] = {}
        self._is_closed = False

    async def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject | None, None]:
        """Yield the payloads of a subscription; see ``SubgraphTransport``."""
        if self._is_closed:
            raise SubscriptionError(SubscriptionFailure.LOST, "The router is stopping.")
        payload = orjson.dumps(dict(request.connection_init), option=orjson.OPT_SORT_KEYS)
        multiplexer = self._open.get(payload)
        if multiplexer is None or multiplexer.is_over:
            multiplexer = Multiplexer(self._connect, payload, self._settings)
            self._open[payload] = multiplexer
        multiplexer.users += 1
        id_: str | None = None
        try:
            id_, inbox = await multiplexer.start(request.body)
            if request.announce:
                yield None
            while True:
                try:
                    event = await inbox.next()
                except StopAsyncIteration:
                    return
                yield event
        finally:
            multiplexer.users -= 1
            is_last = multiplexer.users == 0
            if is_last and self._open.get(payload) is multiplexer:
                del self._open[payload]
            if id_ is not None:
                multiplexer.stop(id_)
            if is_last:
                await multiplexer.shut_down()

    async def aclose(self) -> None:
        """Close all connections, for good; their subscriptions end with an error."""
        self._is_closed = True
        multiplexers = list(self._open.values())
        self._open.clear()
        for multiplexer in multiplexers:
            await multiplexer.shut_down()
