"""Statistics of the shards as operators see them."""

from typing import Self

import strawberry

from shared.sharding import ServerRole, ServerStats

__all__ = ["ShardStats"]

strawberry.enum(
    ServerRole,
    description="What a server is to its shard. FORMER_PRIMARY takes writes, though another one "
    "was promoted: stop it.",
)


@strawberry.type(description="One server of one shard. What it does not say is null.")
class ShardStats:
    """See ``ServerStats``."""

    shard: str
    server: str = strawberry.field(description="Its address.")
    role: ServerRole
    slots: int = strawberry.field(description="Of the shard.")
    users: int | None = strawberry.field(
        description="On a primary: PostgreSQL's estimate, exact but for crashes of the server."
    )
    bytes: float | None = strawberry.field(description="Of the database, with its indexes.")
    latency_ms: float | None = strawberry.field(description="A round trip from the subgraph.")
    lag_seconds: float | None = strawberry.field(
        description="Of a replica: the age of the newest state of the primary that it has."
    )
    connections: int | None = strawberry.field(description="All connections to the database.")

    @classmethod
    def of(cls, stats: ServerStats) -> Self:
        """The type of a server's statistics."""
        return cls(
            shard=stats.shard,
            server=stats.server,
            role=stats.role,
            slots=stats.slots,
            users=stats.rows,
            bytes=stats.bytes,
            latency_ms=None if stats.latency is None else round(stats.latency * 1000, 3),
            lag_seconds=stats.lag,
            connections=stats.connections,
        )
