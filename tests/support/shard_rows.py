"""Plain SQL on the shards of a domain: what a test sets up or looks at behind the API's back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.db.connect import connect
from shared.sharding import ShardConfig


async def on_every_shard(shards: Sequence[ShardConfig], sql: str, *arguments: Any) -> list[Any]:
    """Run a statement on every shard; all rows that it gives, shard by shard."""
    rows: list[Any] = []
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        try:
            rows += await connection.fetch(sql, *arguments)
        finally:
            await connection.close()
    return rows


async def count_rows(shards: Sequence[ShardConfig], table: str) -> int:
    """How many rows a table has on all shards."""
    counts = await on_every_shard(shards, f"SELECT count(*) AS n FROM {table}")  # noqa: S608
    return sum(row["n"] for row in counts)
