"""Prometheus metrics: how long statements take and how often a shard fails.

Registered once per process in the default registry; ``shared.telemetry`` exposes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.errors import ErrorCode
    from shared.sharding.ids import ShardId

__all__ = ["ShardMetrics", "observe_request"]

_SECONDS = Histogram(
    "socialnet_shard_statement_seconds",
    "Seconds from handing a statement to the pool until its rows are here.",
    ["domain", "shard"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_FAILURES = Counter(
    "socialnet_shard_failures_total",
    "Statements and commits that failed because of the shard, by the code the client got.",
    ["domain", "shard", "code"],
)
_REQUEST_STATEMENTS = Histogram(
    "socialnet_request_statements",
    "SQL statements of a counted request, by domain, over all shards.",
    ["domain"],
    buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128),
)


def observe_request(statements: Iterable[tuple[str, int]]) -> None:
    """One request ended that cost so many statements in these domains."""
    for domain, count in statements:
        _REQUEST_STATEMENTS.labels(domain).observe(count)


class ShardMetrics:
    """The metrics of one shard of one domain, with the labels looked up once."""

    def __init__(self, domain: str, shard: ShardId) -> None:
        self._domain = domain
        self._shard = shard
        self._seconds = _SECONDS.labels(domain, shard)

    def observe(self, seconds: float) -> None:
        """One statement ended, well or not."""
        self._seconds.observe(seconds)

    def failed(self, code: ErrorCode) -> None:
        """The shard was to blame for a failure."""
        _FAILURES.labels(self._domain, self._shard, code.value).inc()
