"""Prometheus metrics: how long statements take, how often a shard fails, how full its pools are
and how far its replicas are behind.

Registered once per process in the default registry; ``shared.telemetry`` exposes it.
"""

from __future__ import annotations

from enum import StrEnum
from math import nan
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.pool import Pool

    from shared.errors import ErrorCode
    from shared.sharding.ids import ShardId

__all__ = ["LagMetric", "PoolMetrics", "Role", "ShardMetrics", "observe_request"]


class Role(StrEnum):
    """What a server is to its shard."""

    PRIMARY = "primary"
    REPLICA = "replica"


_SECONDS = Histogram(
    "socialnet_shard_statement_seconds",
    "Seconds from handing a statement to the pool until its rows are here.",
    ["domain", "shard", "role"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_FAILURES = Counter(
    "socialnet_shard_failures_total",
    "Statements and commits that failed because of the shard, by the code the client got.",
    ["domain", "shard", "role", "code"],
)
_CONNECTIONS = Gauge(
    "socialnet_shard_connections",
    "Connections of the pools, in_use or idle.",
    ["domain", "shard", "server", "state"],
)
_LAG = Gauge(
    "socialnet_shard_replication_lag_seconds",
    "Age of the newest position of the primary that a replica has replayed; NaN when unknown.",
    ["domain", "shard", "server"],
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
    """The metrics of one shard of one domain in one role, with the labels looked up once."""

    def __init__(self, domain: str, shard: ShardId, role: Role) -> None:
        self._labels = (domain, shard, role.value)
        self._seconds = _SECONDS.labels(*self._labels)

    def observe(self, seconds: float) -> None:
        """One statement ended, well or not."""
        self._seconds.observe(seconds)

    def failed(self, code: ErrorCode) -> None:
        """The shard was to blame for a failure."""
        _FAILURES.labels(*self._labels, code.value).inc()


class PoolMetrics:
    """Connections of one pool, read when the metrics are. ``server``: a name, or the role."""

    def __init__(self, domain: str, shard: ShardId, server: str, pool: Pool) -> None:
        assert isinstance(pool, QueuePool)  # our engines have no other
        self._labels = (domain, shard, server)
        _CONNECTIONS.labels(*self._labels, "in_use").set_function(pool.checkedout)
        _CONNECTIONS.labels(*self._labels, "idle").set_function(pool.checkedin)

    def close(self) -> None:
        """Let go of the pool."""
        for state in ("in_use", "idle"):
            _CONNECTIONS.remove(*self._labels, state)


class LagMetric:
    """The lag of one replica, read when the metrics are."""

    def __init__(
        self, domain: str, shard: ShardId, server: str, lag: Callable[[], float | None]
    ) -> None:
        def seconds() -> float:
            found = lag()
            return nan if found is None else found

        self._labels = (domain, shard, server)
        _LAG.labels(*self._labels).set_function(seconds)

    def close(self) -> None:
        """Let go of the replica."""
        _LAG.remove(*self._labels)
