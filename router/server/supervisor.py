"""Several workers behind one port: started, watched, replaced, reloaded in turn and stopped
together.

They share one listening socket: a connection waits in one queue until some worker is free, so none
is lost with the worker that it would have been given to. A worker that dies is replaced, at once
the first time and then more and more slowly. A new supergraph goes to one worker after the other:
the first one tries it for all, and never do all of them plan at once.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from prometheus_client.multiprocess import mark_process_dead

from router.server.reload import ReloadOutcome
from router.server.uvicorn_server import KEEP_ALIVE_GRACE
from router.server.worker import Ready, Refuse, Reload, Reloaded, run_worker

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from multiprocessing.context import SpawnProcess

    from router.server.settings import RouterSettings
    from router.server.worker import Command

__all__ = ["Supervisor", "WorkerStartError"]

_log = structlog.get_logger(__name__)

_SPAWN = multiprocessing.get_context("spawn")
_OURS = {signal.SIGINT, signal.SIGHUP}  # a terminal sends them to workers too: we tell them
_STABLE_SECONDS = 60.0
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_KILL_MARGIN = 5.0


class WorkerStartError(Exception):
    """A worker ended before it served; its own log lines say why."""


class _Worker:
    """A worker process, as its supervisor sees it."""

    def __init__(self, settings: RouterSettings, sdl: str, listener: socket.socket) -> None:
        self.sdl = sdl
        self.started_at = monotonic()
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self._outcome: asyncio.Future[ReloadOutcome] | None = None
        self._channel, theirs = _SPAWN.Pipe()
        self._process: SpawnProcess = _SPAWN.Process(
            target=run_worker, args=(settings, sdl, listener, theirs), daemon=True
        )
        with _blocked_signals():
            self._process.start()
        theirs.close()
        self.pid: int = self._process.pid or 0
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel.fileno(), self._receive)
        loop.add_reader(self._process.sentinel, self._end)

    @property
    def exit_code(self) -> int | None:
        """What it ended with; the negative number of a signal that killed it."""
        return self._process.exitcode

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if not self.ended.is_set():
            os.kill(self.pid, number)

    async def tell(self, command: Command) -> ReloadOutcome | None:
        """Give a command, and return what came of it; None when the worker ended over it."""
        self._outcome = outcome = asyncio.get_running_loop().create_future()
        try:
            # A large supergraph does not fit into the pipe: the thread waits until it is taken.
            await asyncio.to_thread(self._channel.send, command)
        except OSError:
            return None
        ended = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait((outcome, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            self._outcome = None
        return outcome.result() if outcome.done() else None

    def _receive(self) -> None:
        try:
            message: Ready | Reloaded = self._channel.recv()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            return
        if isinstance(message, Ready):
            self.ready.set()
        elif self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(message.outcome)

    def _end(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._process.sentinel)
        loop.remove_reader(self._channel.fileno())
        self._process.join()
        self._channel.close()
        mark_process_dead(self.pid)  # type: ignore[no-untyped-call]  # its gauges count no more
        self.ended.set()


class Supervisor:
    """Runs ``settings.workers`` workers on a listening socket."""

    def __init__(self, settings: RouterSettings, sdl: str, listener: socket.socket) -> None:
        self._settings = settings
        self._sdl = sdl
        self._listener = listener
        self._workers: dict[int, _Worker] = {}
        self._stopping = asyncio.Event()
        self._in_turn = asyncio.Lock()

    async def run(self, on_started: Callable[[], None]) -> None:
        """Run the workers until SIGINT or SIGTERM; ``on_started`` is called when all of them serve.

        Raises WorkerStartError when one of the first does not start.
        """
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self._stop)
        try:
            await self._start()
            if not self._stopping.is_set():
                on_started()
            async with asyncio.TaskGroup() as group:
                for slot in range(self._settings.workers):
                    group.create_task(self._keep(slot))
        finally:
            await self._end()
            for number in numbers:
                loop.remove_signal_handler(number)

    async def reload(self, sdl: str) -> None:
        """Bring all workers to a supergraph, one after the other, if the first one takes it."""
        async with self._in_turn:
            for worker in self._serving():
                outcome = await worker.tell(Reload(sdl))
                if self._sdl == sdl:
                    if outcome is ReloadOutcome.REFUSED:  # another one has taken it
                        _log.error("worker keeps its supergraph", worker=worker.pid)
                elif outcome is None:
                    _log.error("supergraph not reloaded", reason="the worker ended over it")
                    return
                elif outcome is ReloadOutcome.REFUSED:
                    return  # the worker has logged why
                else:
                    self._sdl = sdl
                worker.sdl = self._sdl

    async def refuse(self) -> None:
        """Have a change counted that could not be read: the workers have the metrics."""
        async with self._in_turn:
            for worker in self._serving()[:1]:
                await worker.tell(Refuse())

    def _serving(self) -> list[_Worker]:
        workers = self._workers.values()
        return [w for w in workers if w.ready.is_set() and not w.ended.is_set()]

    def _spawn(self, slot: int) -> _Worker:
        worker = _Worker(self._settings, self._sdl, self._listener)
        self._workers[slot] = worker
        return worker

    async def _start(self) -> None:
        """Start all workers; those that come later find the port served."""
        for worker in [self._spawn(slot) for slot in range(self._settings.workers)]:
            await _first(worker.ready, worker.ended, self._stopping)
            if worker.ended.is_set() and not self._stopping.is_set():
                raise WorkerStartError(f"worker {worker.pid} ended with {worker.exit_code}")

    async def _keep(self, slot: int) -> None:
        """Keep one place filled until the end."""
        delay = 0.0
        while not self._stopping.is_set():
            worker = self._workers[slot]
            await _first(worker.ended, self._stopping)
            if self._stopping.is_set():
                return
            _log.error("worker ended", worker=worker.pid, exit_code=worker.exit_code, delay=delay)
            if monotonic() - worker.started_at >= _STABLE_SECONDS:
                delay = 0.0
            await _first(self._stopping, timeout=delay)
            if self._stopping.is_set():
                return
            delay = min(max(delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
            worker = self._spawn(slot)
            await _first(worker.ready, worker.ended, self._stopping)
            await self._catch_up(worker)

    async def _catch_up(self, worker: _Worker) -> None:
        """Give a new worker the supergraph that came while it started."""
        async with self._in_turn:
            if worker.sdl != self._sdl and worker in self._serving():
                await worker.tell(Reload(self._sdl))
                worker.sdl = self._sdl

    def _stop(self) -> None:
        """At the first signal: let the workers finish. At another one: end them now."""
        self._stopping.set()
        self._listener.close()  # the workers have their own: the port closes with the last of them
        for worker in self._workers.values():
            worker.signal(signal.SIGTERM)

    async def _end(self) -> None:
        """Wait for the workers, and kill those that do not end in time."""
        if not self._stopping.is_set():  # an exception ends us
            self._stop()
        settings = self._settings
        patience = settings.shutdown_delay + KEEP_ALIVE_GRACE + settings.shutdown_timeout
        try:
            async with asyncio.timeout(patience + _KILL_MARGIN):
                for worker in self._workers.values():
                    await worker.ended.wait()
        except TimeoutError:
            for worker in self._workers.values():
                worker.signal(signal.SIGKILL)
            for worker in self._workers.values():
                await worker.ended.wait()


@contextmanager
def _blocked_signals() -> Iterator[None]:
    """Start a process that does not get the signals of a terminal: masks are inherited."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


async def _first(*events: asyncio.Event, timeout: float | None = None) -> None:
    """Wait for one of several events, or for the time to pass."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
