"""The circuit breaker: a subgraph that fails is left alone for a while.

Requests to it then fail at once instead of each waiting for its time limit, and it gets the quiet
to recover. *Closed*: requests pass and are counted in a window of slices. *Open*: none passes.
*Half-open*: one passes to find out; its outcome closes or opens the circuit.
"""

from __future__ import annotations

import time
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.executor.traffic.policy import BreakerPolicy

__all__ = ["CircuitBreaker", "CircuitState"]

_SLICES: Final = 10


class CircuitState(StrEnum):
    """What a circuit breaker lets through."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class _Slice:
    """The requests of a tenth of the window."""

    __slots__ = ("end", "failed", "total")

    def __init__(self, end: float) -> None:
        self.end = end
        self.total = 0
        self.failed = 0


class CircuitBreaker:
    """The breaker of one subgraph.

    A request that is let through gets the number of the circuit's era and comes back with it: what
    was sent in another state says nothing about this one.
    """

    def __init__(
        self,
        policy: BreakerPolicy,
        on_change: Callable[[CircuitState], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._on_change = on_change
        self._clock = clock
        self._state = CircuitState.CLOSED
        self._slices: deque[_Slice] = deque()
        self._try_at = 0.0
        self._is_tried = False
        self._era = 0

    def let_through(self) -> int | None:
        """Return the era if a request may be sent now, else None."""
        if self._state is not CircuitState.CLOSED:
            if self._is_tried or self._clock() < self._try_at:
                return None
            self._change(CircuitState.HALF_OPEN)
            self._is_tried = True
        return self._era

    def record(self, era: int, *, failed: bool) -> None:
        """Count a request that was let through."""
        if era != self._era:
            return
        if self._state is CircuitState.CLOSED:
            self._count(failed=failed)
        elif failed:
            self._open()
        else:
            self._slices.clear()
            self._change(CircuitState.CLOSED)

    def forget(self, era: int) -> None:
        """Let another one try: the request was given up before anything was known."""
        if era == self._era:
            self._is_tried = False

    def _count(self, *, failed: bool) -> None:
        now = self._clock()
        if not self._slices or now >= self._slices[-1].end:
            self._slices.append(_Slice(now + self._policy.window / _SLICES))
            while self._slices[0].end < now - self._policy.window:
                self._slices.popleft()
        current = self._slices[-1]
        current.total += 1
        if failed:
            current.failed += 1
            self._open_if_bad()

    def _open_if_bad(self) -> None:
        total = sum(one.total for one in self._slices)
        failures = sum(one.failed for one in self._slices)
        if total >= self._policy.min_requests and failures >= self._policy.failure_rate * total:
            self._open()

    def _open(self) -> None:
        self._try_at = self._clock() + self._policy.open_for
        self._change(CircuitState.OPEN)

    def _change(self, state: CircuitState) -> None:
        self._is_tried = False
        if state is not self._state:
            self._state = state
            self._era += 1
            self._on_change(state)
