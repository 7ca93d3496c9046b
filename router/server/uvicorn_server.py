"""uvicorn's server, with an end at which no request is lost.

In order: not ready, and still serving until load balancers have noticed (``shutdown_delay``); no
new connections; WebSockets closed with 1001, subscriptions over HTTP ended, and idle HTTP
connections left open for a moment, because a request may be under way on them; then requests in
flight are finished, and at the deadline (``shutdown_timeout``) cancelled. While it stops, every
answer closes its connection.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import override

from router.server.http.protocol import HttpProtocol
from router.server.websocket.protocol import WebSocketProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from starlette.types import ASGIApp

    from router.server.app import RouterApp
    from router.server.settings import RouterSettings

__all__ = ["BACKLOG", "KEEP_ALIVE_GRACE", "RouterServer", "uvicorn_config"]

BACKLOG = 2048
KEEP_ALIVE_GRACE = 0.5  # seconds that idle connections stay open at the end
_TICK = 0.05


def uvicorn_config(app: ASGIApp, settings: RouterSettings) -> uvicorn.Config:
    """Return uvicorn's configuration for a router, also for programs that run the server
    themselves.
    """
    return uvicorn.Config(
        app,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=settings.websocket_ping_interval,
        ws_ping_timeout=settings.websocket_ping_timeout,
        ws_per_message_deflate=False,  # tens of KB per connection, for mostly short messages
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # uvicorn would believe any local peer: see limits.addresses
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=settings.keep_alive_timeout,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )


class RouterServer(uvicorn.Server):
    """Serves one router in this process until SIGINT or SIGTERM; a second one ends it at once."""

    def __init__(
        self, app: RouterApp, settings: RouterSettings, on_started: Callable[[], None]
    ) -> None:
        super().__init__(uvicorn_config(app, settings))
        self._app = app
        self._delay = settings.shutdown_delay
        self._on_started = on_started

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.stop_being_ready()
        await self._pause(self._delay, lambda: False)
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        self._app.drain()
        await self._pause(KEEP_ALIVE_GRACE, lambda: not self.server_state.connections)
        await super().shutdown(sockets)

    async def _pause(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Wait; not longer than it takes until it is over, or until the second signal."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and not (self.force_exit or is_over()):  # noqa: ASYNC110 - flags
            await asyncio.sleep(min(_TICK, seconds))
