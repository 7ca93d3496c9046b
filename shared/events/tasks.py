"""Ending a background task for certain."""

from __future__ import annotations

import asyncio

__all__ = ["end_task"]

_PATIENCE = 0.25  # seconds for a task's own clean-up before it is told again


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancel ``task`` and wait until it has ended. Its own failure, if it had one, is raised.

    Once is not always enough: ``asyncio.wait_for`` before Python 3.12, on which Redis clients lean,
    loses a cancellation that comes at the moment when what it waits for is done.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_PATIENCE)
    if not task.cancelled():
        task.result()
