"""Ends the subscriptions of a supergraph that was replaced, spread over a while.

Their clients then come back one by one, and not to all routers in the same second.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Draining"]

_HURRIED_SECONDS = 5.0


class Draining:
    """Whom to tell when the supergraph is replaced.

    A *renewal* is called once; it ends subscriptions in a way that the client begins them anew.
    Subscriptions with equal renewals (those of one connection) are ended by one call.
    """

    def __init__(self) -> None:
        self._renewals: dict[Callable[[], None], int] = {}
        self._has_begun = False
        self._until = 0.0
        self._hurried = asyncio.Event()

    def add(self, renewal: Callable[[], None]) -> None:
        """Have a renewal called, until it is removed as often as it was added."""
        if self._has_begun:  # the supergraph was replaced while the subscription was prepared
            asyncio.get_running_loop().call_soon(renewal)
        self._renewals[renewal] = self._renewals.get(renewal, 0) + 1

    def remove(self, renewal: Callable[[], None]) -> None:
        """Forget one subscription; one whose renewal was called is forgotten already."""
        others = self._renewals.get(renewal, 0) - 1
        if others > 0:
            self._renewals[renewal] = others
        else:
            self._renewals.pop(renewal, None)

    async def run(self, seconds: float) -> None:
        """Call every renewal at a random moment, evenly spread over the time."""
        self._has_begun = True
        loop = asyncio.get_running_loop()
        self._until = loop.time() + seconds
        while self._renewals:
            left = max(self._until - loop.time(), 0.0)
            # the first of n moments that are chosen at random
            await self._wait(left * (1.0 - random() ** (1 / len(self._renewals))))  # noqa: S311
            if self._renewals and not self._hurried.is_set():
                renewal, _ = self._renewals.popitem()
                renewal()
            self._hurried.clear()

    def hurry(self) -> None:
        """End within a few seconds: too many supergraphs wait for their subscriptions."""
        self._until = min(self._until, asyncio.get_running_loop().time() + _HURRIED_SECONDS)
        self._hurried.set()

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()
