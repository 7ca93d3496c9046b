"""Serving: the router's processes behind one port.

One worker runs in this process; several are children of it (``supervisor``), each with caches of
its own. The supergraph is read here, so that all workers run the same one and a bad one is refused
before anything starts; its files are watched here for the same reason.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from router.server.access_log import configure_logging
from router.server.app import create_router_app
from router.server.background import collect_for_good, collect_seldom
from router.server.supervisor import Supervisor
from router.server.telemetry import shared_by_workers
from router.server.uvicorn_server import BACKLOG, RouterServer, uvicorn_config
from router.server.watch import SupergraphWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from router.server.app import RouterApp
    from router.server.settings import RouterSettings
    from router.server.source import SupergraphSource
    from router.server.watch import ReloadTarget

__all__ = ["ListenError", "ServerAddress", "listen", "serve", "uvicorn_config"]


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
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
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


def serve(
    settings: RouterSettings,
    source: SupergraphSource,
    on_listening: Callable[[ServerAddress], None],
) -> None:
    """Serve a supergraph until SIGINT or SIGTERM; returns when all requests are finished.

    ``on_listening`` is called once, when requests are answered. Raises :class:`ListenError`,
    WorkerStartError, SourceError, and what ``create_router_app`` raises.
    """
    sdl = source.read()
    configure_logging(settings.logs_as, settings.log_level)
    app = create_router_app(settings, sdl, own_process=True)  # refuses what is wrong
    with listen(settings.host, settings.port) as listener:
        address = ServerAddress(settings.host, listener.getsockname()[1])
        if settings.workers > 1:
            del app  # the workers have their own
            _serve_with_workers(settings, sdl, source, listener, lambda: on_listening(address))
        else:
            collect_for_good()
            collect_seldom(settings.gc_threshold)
            _serve_alone(app, settings, source, listener, lambda: on_listening(address))


def _serve_alone(
    app: RouterApp,
    settings: RouterSettings,
    source: SupergraphSource,
    listener: socket.socket,
    on_started: Callable[[], None],
) -> None:
    server = RouterServer(app, settings, on_started)

    async def run() -> None:
        async with _watching(source, app, settings):
            await server.serve(sockets=[listener])

    with (
        _exit_after_signals(),
        asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner,
    ):
        runner.run(run())


def _serve_with_workers(
    settings: RouterSettings,
    sdl: str,
    source: SupergraphSource,
    listener: socket.socket,
    on_started: Callable[[], None],
) -> None:
    supervisor = Supervisor(settings, sdl, listener)

    async def run() -> None:
        async with _watching(source, supervisor, settings):
            await supervisor.run(on_started)

    with shared_by_workers():
        asyncio.run(run())


@asynccontextmanager
async def _watching(
    source: SupergraphSource, target: ReloadTarget, settings: RouterSettings
) -> AsyncIterator[None]:
    """Reload when the files change, and at SIGHUP."""
    watch = SupergraphWatch(source, target, settings.reload_interval)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, watch.trigger)
    task = loop.create_task(watch.run())
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


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
