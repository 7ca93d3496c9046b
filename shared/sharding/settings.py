"""How one service uses its shards: pools, timeouts, limits. ``shared.settings`` makes it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ShardSettings"]

_PREPARED_STATEMENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSettings:
    """Pools and limits of one domain. All times are in seconds.

    ``domain`` names the database, the metrics and the migrations; ``application_name`` is what
    PostgreSQL shows in ``pg_stat_activity``.
    """

    domain: str
    application_name: str = "socialnet"
    pool_size: int = 20  # connections kept open per shard
    max_overflow: int = 0  # more of them under load, opened and closed per use: dear
    pool_timeout: float = 5.0  # waiting for a free connection
    connect_timeout: float = 3.0
    statement_timeout: float = 5.0  # enforced by PostgreSQL
    transaction_timeout: float = 30.0  # enforced by PostgreSQL; identities' leases rely on it
    answer_grace: float = 2.0  # how much longer than statement_timeout we wait for a silent server
    scatter_timeout: float = 5.0  # per shard
    scatter_concurrency: int = 16  # shards asked at once by one scatter
    batch_size: int = 2000  # IDs in one statement of a loader
    prepared_statements: int | None = None  # kept per connection; None: 500, but 0 with PgBouncer
    health_interval: float = 1.0  # between looks at the servers of a shard that has several
    replica_max_lag: float = 10.0  # a replica that is further behind is not read

    def prepared_statements_kept(self, *, pooled: bool) -> int:
        """How many statements a connection keeps prepared."""
        if self.prepared_statements is not None:
            return self.prepared_statements
        return 0 if pooled else _PREPARED_STATEMENTS
