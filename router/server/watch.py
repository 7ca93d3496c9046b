"""Watching a supergraph's files: every change that is complete is read once, the newest one last.

The files are looked at in an interval. Asking the system for notifications instead would miss what
matters here: links swapped in another directory (Kubernetes) and files on network volumes; and a
few ``stat`` calls a second cost nothing. A changed file is read when it has stayed the same for one
more interval, so that half of one is not taken for the whole.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from router.server.background import in_background
from router.server.source import SourceError

if TYPE_CHECKING:
    from router.server.source import Stamps, SupergraphSource

__all__ = ["ReloadTarget", "SupergraphWatch"]

_log = structlog.get_logger(__name__)


class ReloadTarget(Protocol):
    """Who gets the supergraphs that a watch has read: a router, or all workers of one."""

    async def reload(self, sdl: str) -> object:
        """Go over to a supergraph, or refuse it; does not raise."""
        ...

    async def refuse(self) -> None:
        """Count a change that could not be read or composed; the watch has logged why."""
        ...


class SupergraphWatch:
    """Reads a source again when its files have changed, or when told to; one reload at a time.

    ``interval`` in seconds; 0: only when told to.
    """

    def __init__(self, source: SupergraphSource, target: ReloadTarget, interval: float) -> None:
        self._source = source
        self._target = target
        self._interval = interval
        self._told = asyncio.Event()
        self._unsettled: Stamps | None = None

    def trigger(self) -> None:
        """Read the source soon, changed or not (SIGHUP); safe to call from a signal handler of the
        event loop.
        """
        self._told.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            if await self._pause() or await asyncio.to_thread(self._has_settled):
                await self._reload()

    async def _pause(self) -> bool:
        """Wait for the next look; True when told to read at once."""
        try:
            async with asyncio.timeout(self._interval or None):
                await self._told.wait()
        except TimeoutError:
            return False
        self._told.clear()
        return True

    def _has_settled(self) -> bool:
        """Whether there is a change, the same as at the last look."""
        now = self._source.look()
        if now == self._source.read_stamps:
            self._unsettled = None
            return False
        if now != self._unsettled:
            self._unsettled = now
            return False
        return True

    async def _reload(self) -> None:
        self._unsettled = None
        try:
            sdl = await in_background(self._source.read)
        except SourceError as error:
            _log.error("supergraph not reloaded", code=error.code, problems=error.problems)
            await self._target.refuse()
        except Exception:  # noqa: BLE001 - a defect: the next change may be fine
            _log.exception("supergraph not reloaded")
            await self._target.refuse()
        else:
            await self._target.reload(sdl)
