"""The entities whose events wait because one of them was refused.

The relay leaves their events in the outbox until it is time to try again, and goes on with all
others. Kept in memory: after a restart every entity is tried at once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["HeldBack", "backoff"]

_MAX_EXPONENT = 16


def backoff(failures: int, shortest: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row: exponential, with jitter."""
    ceiling = min(longest, shortest * 2.0 ** min(failures, _MAX_EXPONENT))
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, protects nothing


@dataclass(slots=True)
class _Wait:
    failures: int
    until: float


class HeldBack:
    """Keys (entity IDs) with the time when each may be tried again. Times are the loop's, in s."""

    def __init__(self, *, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._waits: dict[str, _Wait] = {}

    def __len__(self) -> int:
        return len(self._waits)

    def refused(self, key: str, now: float) -> int:
        """Hold ``key`` back; returns how often in a row it has been refused."""
        wait = self._waits.setdefault(key, _Wait(-1, now))
        wait.failures += 1
        wait.until = now + backoff(wait.failures, self._shortest, self._longest)
        return wait.failures + 1

    def waiting(self, now: float) -> list[str]:
        """The keys whose time has not come."""
        return [key for key, wait in self._waits.items() if wait.until > now]

    def settle(self, now: float) -> None:
        """Forget the keys whose time had come at ``now``: they were tried and not refused again."""
        self._waits = {key: wait for key, wait in self._waits.items() if wait.until > now}

    def next_time(self) -> float | None:
        """When the next one may be tried; None when none is held back."""
        return min((wait.until for wait in self._waits.values()), default=None)
