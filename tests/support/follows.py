"""What must be true of follows when all events have arrived, over all shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from shared.db.connect import connect
from shared.sharding import EntityId, ShardConfig, Slot, Topology
from shared.sharding.uuid7 import new_uuid7
from tests.support.shard_rows import on_every_shard
from tests.support.waiting import until

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Follow: TypeAlias = tuple[str, str, UUID]
"""Follower, followee, and the ID of the follow."""

_FOLLOWING = "SELECT slot, follower_id, followee_slot, followee_id, id FROM following"
_FOLLOWERS = "SELECT follower_slot, follower_id, slot, followee_id, id FROM followers"
_COUNTS = "SELECT slot, id, following_count, follower_count FROM users"


async def settled(shards: Sequence[ShardConfig], *, seconds: float = 20.0) -> None:
    """Wait until every event has been delivered, and those that this has caused as well."""
    clean = 0

    async def is_settled() -> bool:
        nonlocal clean
        waiting = await on_every_shard(
            shards, "SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1"
        )
        # shards are looked at in turn: an event may have caused one behind the look
        clean = 0 if waiting else clean + 1
        return clean == 2

    await until(is_settled, seconds=seconds)


async def read_follows(shards: Sequence[ShardConfig]) -> set[Follow]:
    """All follows, after checking that both sides have the same, and every count is right."""
    by_follower = _follows(await on_every_shard(shards, _FOLLOWING))
    by_followee = _follows(await on_every_shard(shards, _FOLLOWERS))
    assert by_follower == by_followee
    following = Counter(follower for follower, _, _ in by_follower)
    followers = Counter(followee for _, followee, _ in by_follower)
    for slot, uuid, following_count, follower_count in await on_every_shard(shards, _COUNTS):
        user = _id(slot, uuid)
        assert (following_count, follower_count) == (following[user], followers[user]), user
    return by_follower


async def pairs_of(shards: Sequence[ShardConfig]) -> set[tuple[str, str]]:
    """Who follows whom, once everything has settled; checked like ``read_follows``."""
    await settled(shards)
    return {(follower, followee) for follower, followee, _ in await read_follows(shards)}


def _follows(rows: Sequence[Any]) -> set[Follow]:
    return {(_id(*row[0:2]), _id(*row[2:4]), row[4]) for row in rows}


def _id(slot: int, uuid: UUID) -> str:
    return str(EntityId(Slot(slot), UUID(hex=uuid.hex)))


@asynccontextmanager
async def locked(shards: Sequence[ShardConfig], user: EntityId) -> AsyncIterator[Connection]:
    """A transaction that holds the row of a user: whoever is to change it waits for its end."""
    topology = Topology.initial(shards)
    shard = topology.shard(topology.shard_of(user.slot))
    connection = await connect(shard.primary, application_name="test", timeout=5)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT 1 FROM users WHERE slot = $1 AND id = $2 FOR UPDATE", user.slot, user.uuid
            )
            yield connection
    finally:
        await connection.close()


async def block(connection: Connection, blocker: EntityId, blocked: EntityId) -> None:
    """Write the row of a block alone, without what blocking ends."""
    values = block_values(blocker, blocked)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    statement = f"INSERT INTO blocks ({', '.join(values)}) VALUES ({places})"  # noqa: S608
    await connection.execute(statement, *values.values())


def block_values(blocker: EntityId, blocked: EntityId) -> dict[str, object]:
    """A row of ``blocks``."""
    return {
        "slot": blocker.slot,
        "blocker_id": blocker.uuid,
        "blocked_slot": blocked.slot,
        "blocked_id": blocked.uuid,
        "id": new_uuid7(),
        "created_at": datetime.now(UTC),
    }
