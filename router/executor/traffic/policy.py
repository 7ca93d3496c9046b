"""How a subgraph is treated; times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BreakerPolicy", "RetryPolicy", "SubgraphPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How queries are sent again.

    ``attempts`` is how often after the first time. The wait before the n-th retry is random
    between 0 and ``delay * 2**(n-1)``, at most ``max_delay``. ``budget`` is the share of requests
    that may be retries, so that a subgraph in trouble is not buried under them.
    """

    attempts: int = 0
    delay: float = 0.05
    max_delay: float = 1.0
    budget: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a subgraph is left alone.

    The circuit opens when, of at least ``min_requests`` requests within ``window``, the share
    ``failure_rate`` has failed; after ``open_for`` one request may try again.
    """

    window: float = 10.0
    min_requests: int = 20
    failure_rate: float = 0.5
    open_for: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphPolicy:
    """``timeout`` bounds one fetch, retries included."""

    timeout: float = 30.0
    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy | None = None
