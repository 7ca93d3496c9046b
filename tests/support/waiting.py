"""Waiting for what another process does and tells nobody: a row in PostgreSQL, a Redis channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(check: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Return as soon as `check` says yes; TimeoutError when it never does."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - there is no event to wait for, see above
            await asyncio.sleep(0.01)
