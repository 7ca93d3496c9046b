"""A subscription's source that survives the connection it came over.

When the connection is lost, the source subscribes again, with exponential backoff and jitter, for
as long as the settings allow. Whether something is missed then:

* The subscription is resumable (``resumption``) and has a cursor, or has begun at one: it goes on
  right there, and nobody notices.
* Otherwise what happened meanwhile is lost. Never silently: by the settings' choice, either the
  subscription ends with the error, or it goes on and a :data:`GAP` stands where events are missing.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import orjson

from router.executor.settings import GapPolicy
from router.executor.transport.base import (
    SubgraphRequest,
    SubscriptionError,
    SubscriptionFailure,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from router.executor.context import Json
    from router.executor.resumption import Resumption
    from router.executor.settings import ExecutorSettings
    from router.executor.transport.base import SubgraphTransport

__all__ = ["GAP", "ResumingSource"]

_MOST_DOUBLINGS: Final = 32  # of the first delay: far beyond any longest one


class _Gap:
    """The type of :data:`GAP`."""


GAP: Final = _Gap()  # events may be missing here; the subscription is under way again


class ResumingSource:
    """The payloads of one subscription. ``first`` opens it; ``resumption`` and ``variables`` are
    what it is opened with again at a cursor.
    """

    __slots__ = (
        "_attempt",
        "_cursor",
        "_first",
        "_give_up_at",
        "_is_exact",
        "_overflowed_at",
        "_resumption",
        "_settings",
        "_transport",
        "_under_way_since",
        "_variables",
    )

    def __init__(
        self,
        transport: SubgraphTransport,
        first: SubgraphRequest,
        resumption: Resumption | None,
        variables: Mapping[str, Json],
        settings: ExecutorSettings,
    ) -> None:
        self._transport = transport
        self._first = first
        self._resumption = resumption
        self._variables = variables
        self._settings = settings
        self._cursor: Json = None
        self._is_exact = resumption is not None and resumption.replays(variables)
        self._overflowed_at: Json = None  # the cursor at the last overflow
        self._attempt = 0
        self._under_way_since: float | None = None  # in the loop's time
        self._give_up_at: float | None = None

    async def events(self) -> AsyncGenerator[Json, None]:
        """Yield the payloads, and :data:`GAP` where some may be missing.

        Raises SubscriptionError when it cannot go on.
        """
        request, gap = self._first, False
        self._under_way_since = _now()
        while True:
            try:
                async with aclosing(self._transport.subscribe(request)) as payloads:
                    async for payload in payloads:
                        if payload is None:  # subscribed again
                            self._give_up_at = None
                            self._under_way_since = _now()
                            if gap:
                                gap = False
                                yield GAP
                            continue
                        self._remember(payload)
                        yield payload
                return
            except SubscriptionError as error:
                first_try = request is self._first and self._give_up_at is None
                await self._prepare_again(error, first_try=first_try)
            gap |= not self._is_exact
            request = self._again()

    def _remember(self, payload: Json) -> None:
        self._attempt = 0
        if self._resumption is not None:
            cursor = self._resumption.cursor(payload)
            if cursor is not None:
                self._cursor = cursor
                self._is_exact = True

    async def _prepare_again(self, error: SubscriptionError, *, first_try: bool) -> None:
        """Wait until it is time to subscribe again; raises the error if that is not to be."""
        settings = self._settings
        refused_at_once = first_try and error.failure is SubscriptionFailure.REFUSED
        if not error.retryable or refused_at_once or settings.resubscribe_timeout <= 0:
            raise error
        if not self._is_exact and settings.on_gap is GapPolicy.END:
            raise error
        if error.failure is SubscriptionFailure.OVERFLOW:
            self._require_progress(error)
            return  # the connection is well: what had no room comes again at once
        now = _now()
        if self._give_up_at is None:
            self._give_up_at = now + settings.resubscribe_timeout
        delay = self._next_delay(now)
        if now + delay > self._give_up_at:
            raise SubscriptionError(SubscriptionFailure.LOST, str(error))
        await asyncio.sleep(delay)

    def _require_progress(self, error: SubscriptionError) -> None:
        """Raise an overflow at the cursor of the last one: the same events would come again."""
        if self._is_exact and self._cursor == self._overflowed_at:
            raise error
        self._overflowed_at = self._cursor

    def _next_delay(self, now: float) -> float:
        """Return the seconds to wait: twice as many each time, until an event has come or a
        connection has held for longer than the longest wait.
        """
        settings, since = self._settings, self._under_way_since
        if since is not None and now - since > settings.backoff_most:
            self._attempt = 0
        self._under_way_since = None
        delay: float = min(settings.backoff_first * 2**self._attempt, settings.backoff_most)
        self._attempt = min(self._attempt + 1, _MOST_DOUBLINGS)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come back at once

    def _again(self) -> SubgraphRequest:
        first, resumption = self._first, self._resumption
        if resumption is None or self._cursor is None:
            body = first.body
        else:
            dropped = resumption.dropped
            passed = {name: value for name, value in self._variables.items() if name not in dropped}
            passed[resumption.again_variable] = self._cursor
            body = resumption.again_head + b',"variables":' + orjson.dumps(passed) + b"}"
        return SubgraphRequest(
            body=body,
            headers=first.headers,
            connection_init=first.connection_init,
            announce=True,
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
