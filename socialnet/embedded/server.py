"""uvicorn inside a larger program: it serves, but the signals belong to the program.

uvicorn would install its own handlers and repeat the signal at its end, which would kill the
program before its shards are closed. Here the first SIGINT, SIGTERM or SIGHUP (a closed terminal)
begins the orderly end, cancelling the start when it is still under way, and a second one drops the
requests in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import override

from router.server.serving import ListenError, listen
from socialnet.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHUTDOWN_SECONDS = 30


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The event loop of all our processes: uvloop where there is one."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def open_listener(host: str, port: int) -> socket.socket:
    """Open the listening socket; `EmbeddedError` says who stands in the way."""
    try:
        return listen(host, port)
    except ListenError as error:
        message = f"{str(error)[:1].upper()}{str(error)[1:]}."
        raise EmbeddedError(message) from error


def subgraph_config(app: ASGIApp) -> uvicorn.Config:
    """uvicorn's configuration for a subgraph, whose lifespan the caller runs."""
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


class Server(uvicorn.Server):
    """A server that leaves the signals alone and tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SignalledProgram:
    """What the signals do to the program; use as a context manager in the main task."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._task: asyncio.Task[object] | None = None
        self._stopping = False

    def __enter__(self) -> SignalledProgram:
        """Begin to receive signals."""
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has come."""
        return self._stopping

    def stop(self) -> None:
        """Do what a signal does."""
        if self._server is not None:
            self._server.force_exit = self._server.should_exit
            self._server.should_exit = True
        elif not self._stopping and self._task is not None:
            self._task.cancel()
        self._stopping = True

    async def serve(
        self, config: uvicorn.Config, listener: socket.socket, on_started: Callable[[], None]
    ) -> None:
        """Serve until a signal comes and the requests in flight are finished."""
        self._server = Server(config, on_started)
        try:
            await self._server.serve(sockets=[listener])
        finally:
            self._server = None
