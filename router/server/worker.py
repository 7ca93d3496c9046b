"""A worker: the process that serves, and what its supervisor says to it.

Started by ``supervisor`` with a socket that is listened on already and a channel. Messages are
values of the classes below; each command has one reply. When the supervisor is gone, the channel
ends, and the worker stops as it does for SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from router.server.access_log import configure_logging
from router.server.app import create_router_app
from router.server.background import collect_for_good, collect_seldom
from router.server.reload import ReloadOutcome
from router.server.uvicorn_server import RouterServer

if TYPE_CHECKING:
    import socket
    from multiprocessing.connection import Connection

    from router.server.app import RouterApp
    from router.server.settings import RouterSettings

__all__ = ["Command", "Ready", "Refuse", "Reload", "Reloaded", "run_worker"]


@dataclass(frozen=True, slots=True)
class Ready:
    """From the worker, once: it serves."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Go over to a supergraph."""

    sdl: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Count a change that the supervisor could not read."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The reply to both commands."""

    outcome: ReloadOutcome


Command: TypeAlias = Reload | Refuse


def run_worker(
    settings: RouterSettings, sdl: str, listener: socket.socket, channel: Connection
) -> None:
    """Serve until SIGTERM, or until the supervisor is gone."""
    configure_logging(settings.logs_as, settings.log_level)
    app = create_router_app(settings, sdl, own_process=True)
    collect_for_good()
    collect_seldom(settings.gc_threshold)
    server = RouterServer(app, settings, on_started=lambda: channel.send(Ready()))

    async def run() -> None:
        commands = asyncio.get_running_loop().create_task(_obey(app, server, channel))
        try:
            await server.serve(sockets=[listener])
        finally:
            commands.cancel()

    # uvicorn repeats the signal that stopped it, for a process that would not end otherwise
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(run())


async def _obey(app: RouterApp, server: RouterServer, channel: Connection) -> None:
    """Do what the supervisor says, one command after the other."""
    loop = asyncio.get_running_loop()
    commands: asyncio.Queue[Command | None] = asyncio.Queue()

    def receive() -> None:
        command: Command | None = None
        try:
            while True:
                command = channel.recv()
                loop.call_soon_threadsafe(commands.put_nowait, command)
        except (EOFError, OSError):
            loop.call_soon_threadsafe(commands.put_nowait, None)
        except RuntimeError:
            pass  # the loop is closed: the worker has ended

    Thread(target=receive, name="supervisor-channel", daemon=True).start()
    while (command := await commands.get()) is not None:
        if isinstance(command, Reload):
            outcome = await app.reload(command.sdl)
        else:
            await app.refuse()
            outcome = ReloadOutcome.REFUSED
        channel.send(Reloaded(outcome))
    server.should_exit = True
