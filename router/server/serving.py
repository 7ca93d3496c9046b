"""Serving: the router's processes behind one port.

One worker runs in this process; several are children that share the listening socket, each with
caches of its own. The supergraph is read once, here, so that all workers run the same one and a bad
one is refused before anything starts.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import uvicorn
from uvicorn.supervisors import Multiprocess

from router.server.access_log import configure_logging
from router.server.app import create_router_app
from router.server.telemetry import shared_by_workers
from router.server.websocket.protocol import WebSocketProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

    from router.server.app import RouterApp
    from router.server.settings import RouterSettings

__all__ = ["ListenError", "ServerAddress", "listen", "serve", "uvicorn_config"]

_BACKLOG = 2048


class ListenError(Exception):
    """The address cannot be listened on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a router listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The origin, as for a browser on the same machine."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - only compared
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket (port 0: any free one); raises :class:`ListenError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is in use; choose another one with --port"
        elif error.errno in {errno.EACCES, errno.EPERM}:
            reason = f"no permission to listen on port {port}; choose one from 1024 with --port"
        else:
            reason = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise ListenError(reason) from error
    listener.set_inheritable(True)
    return listener


def uvicorn_config(
    app: ASGIApp | Callable[[], ASGIApp], settings: RouterSettings, *, factory: bool = False
) -> uvicorn.Config:
    """Return uvicorn's configuration for a router, also for programs that run the server
    themselves.
    """
    return uvicorn.Config(
        app,
        factory=factory,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws=WebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        ws_per_message_deflate=False,  # tens of KB per connection, for mostly short messages
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )


def serve(
    settings: RouterSettings, supergraph_sdl: str, on_listening: Callable[[ServerAddress], None]
) -> None:
    """Serve a supergraph until SIGINT or SIGTERM; returns when all requests are finished.

    ``on_listening`` is called once, when connections are accepted. Raises :class:`ListenError`, and
    what ``create_router_app`` raises.
    """
    app = _make_app(settings, supergraph_sdl)  # here even for workers: it refuses what is wrong
    with listen(settings.host, settings.port) as listener:
        on_listening(ServerAddress(settings.host, listener.getsockname()[1]))
        with _exit_after_signals():
            if settings.workers > 1:
                factory = partial(_make_app, settings, supergraph_sdl)
                config = uvicorn_config(factory, settings, factory=True)
                with shared_by_workers():
                    Multiprocess(config, sockets=[listener]).run()
            else:
                uvicorn.Server(uvicorn_config(app, settings)).run(sockets=[listener])


def _make_app(settings: RouterSettings, supergraph_sdl: str) -> RouterApp:
    app = create_router_app(settings, supergraph_sdl)
    configure_logging(settings.logs_as, settings.log_level)
    # The supergraph's model is large, full of cycles and never garbage while this process serves
    # it: without this, each full collection walks it and stalls a request for its whole length.
    gc.collect()
    gc.freeze()
    return app


@contextmanager
def _exit_after_signals() -> Iterator[None]:
    """End with status 0 after a graceful stop: uvicorn repeats the signal that stopped it, which
    would kill us.
    """

    def stop(*_: object) -> NoReturn:
        raise SystemExit(os.EX_OK)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
