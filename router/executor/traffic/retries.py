"""When a query is sent again, and how often in all.

Waits have full jitter: the clients of a subgraph that stumbled do not come back as one crowd.
The budget is a bucket of tokens: a request puts a part of one in, a retry takes one out.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.executor.traffic.policy import RetryPolicy

__all__ = ["RETRYABLE_STATUSES", "RetryBudget", "retry_after", "retry_delay"]

RETRYABLE_STATUSES: Final = frozenset({502, 503, 504})
"""What proxies answer for a server that is gone or starting. Never 429: it asks for less."""

_RESERVE: Final = 10.0  # retries that a subgraph with little traffic has at once


class RetryBudget:
    """The retries that a subgraph may still have."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._tokens = _RESERVE

    def add_request(self) -> None:
        """Count a request that is no retry."""
        self._tokens = min(self._tokens + self._share, _RESERVE)

    def take(self) -> bool:
        """Take a retry out; False when there is none left."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def retry_delay(policy: RetryPolicy, attempt: int) -> float:
    """Return the seconds to wait before retry number ``attempt``, from 1."""
    longest = min(policy.delay * 2.0 ** min(attempt - 1, 30), policy.max_delay)
    return random.uniform(0.0, longest)  # noqa: S311 - spreads load, keeps no secret


def retry_after(headers: Iterable[tuple[str, str]]) -> float:
    """Return the seconds of a ``retry-after`` header, 0 without one.

    Its other form, a date, counts as none: that wait would be longer than anybody's deadline.
    """
    for name, value in headers:
        if name == "retry-after" and value.isdecimal() and len(value) < 10:
            return float(value)
    return 0.0
