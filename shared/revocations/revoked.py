"""The sessions that no token is accepted of any more, as one process knows them."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.sharding import EntityId

__all__ = ["RevokedSessions"]

_FORGET_AT_ONCE = 2  # with each that comes: so they cannot become more and more


class RevokedSessions:
    """Remembers each for ``remember`` seconds: at least as long as access tokens live."""

    def __init__(self, *, remember: float, clock: Callable[[], float] = time.time) -> None:
        self.remember = remember
        self._clock = clock
        self._ended: dict[EntityId, float] = {}  # session -> when; the oldest first

    def add(self, session_id: EntityId) -> None:
        """Accept no token of this session any more. May be repeated."""
        now = self._clock()
        self._ended.setdefault(session_id, now)
        for known, at in tuple(islice(self._ended.items(), _FORGET_AT_ONCE)):
            if at < now - self.remember:
                del self._ended[known]

    def __contains__(self, session_id: EntityId | None) -> bool:
        return session_id in self._ended

    def __len__(self) -> int:
        return len(self._ended)
