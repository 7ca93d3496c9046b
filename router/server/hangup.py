"""Stops a query whose client has gone away.

ASGI tells of a disconnect only to who waits for it, and a waiting task for every request would cost
more than most requests need. So the watch begins when a request has already taken a while: quick
ones never pay for it, slow ones give their subgraph requests up within that while.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import Receive

__all__ = ["ClientGoneError", "HangupWatch"]

_QUIET_SECONDS = 0.05


class ClientGoneError(Exception):
    """The client closed the connection before its answer was ready."""


class HangupWatch:
    """Cancels the block inside ``with`` when the client disconnects, and raises
    :class:`ClientGoneError` instead.
    """

    __slots__ = ("_gone", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> HangupWatch:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_QUIET_SECONDS, self._start)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
            # Its CancelledError has a traceback that leads to here: a cycle for each slow request,
            # which would stay until the collector runs.
            self._watcher = None
        if not self._gone or self._task is None:
            return
        # Our own cancel() must not look like somebody else's; when both happened, theirs goes on.
        foreign = self._task.uncancel() > 0
        if kind is not None and issubclass(kind, asyncio.CancelledError) and not foreign:
            raise ClientGoneError from error

    def _start(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                break
        self._gone = True
        if self._task is not None:
            self._task.cancel()
