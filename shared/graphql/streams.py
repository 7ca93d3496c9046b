"""The source of a subscription: opened before the client is answered, closed when the client leaves
or the token ends.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from shared.auth import TokenExpiredError
from shared.errors import SocialnetError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from shared.graphql.context import SubgraphContext

__all__ = ["EventStream"]

T = TypeVar("T")
E = TypeVar("E")


class EventStream(Generic[E, T]):
    """An asynchronous iterator over what ``transform`` makes of a source's events; None leaves an
    event out.

    An object rather than a generator: a generator that is closed before its first item never runs
    its ``finally``, and the source would stay open.

    Before each event the context forgets what it has loaded. When the viewer's token expires the
    stream ends with ``TOKEN_EXPIRED``, whether or not something happens; when its session has been
    ended, at the next event.
    """

    def __init__(
        self,
        source: AsyncExitStack,
        events: AsyncIterator[E],
        transform: Callable[[E], Awaitable[T | None]],
        context: SubgraphContext,
    ) -> None:
        self._source = source
        self._events = events
        self._transform = transform
        self._context = context
        self._expires_at = context.viewer.expires_at
        self._closed = False

    @classmethod
    async def open(
        cls,
        source: AbstractAsyncContextManager[AsyncIterator[E]],
        transform: Callable[[E], Awaitable[T | None]],
        context: SubgraphContext,
    ) -> EventStream[E, T]:
        """Open the source; from here on nothing that happens is missed."""
        stack = AsyncExitStack()
        events = await stack.enter_async_context(source)
        return cls(stack, events, transform, context)

    def __aiter__(self) -> EventStream[E, T]:
        return self

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        while True:
            event = await self._next_event()
            await self._require_viewer()
            self._context.forget_loaded()
            item = await self._transform(event)
            if item is not None:
                return item

    async def aclose(self) -> None:
        """Let the source go. Idempotent."""
        self._closed = True
        await self._source.aclose()

    async def _require_viewer(self) -> None:
        try:
            _ = self._context.viewer
        except SocialnetError:
            await self.aclose()
            raise

    async def _next_event(self) -> E:
        left = (self._expires_at - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(left):
                return await anext(self._events)
        except TimeoutError:
            await self.aclose()
            raise TokenExpiredError from None
