"""Phone numbers of users, without proving them."""

from __future__ import annotations

from shared.sharding import EntityId, ShardConfig, slot_for
from tests.support.shard_rows import on_every_shard


async def give_phone(shards: tuple[ShardConfig, ...], user_id: str, number: str) -> None:
    """The rows that proving a number writes, on two shards."""
    owner, slot = EntityId.parse(user_id), slot_for(number)
    await on_every_shard(
        [shards[0 if owner.slot < 128 else 1]],
        "UPDATE users SET phone = $1 WHERE slot = $2 AND id = $3",
        number,
        owner.slot,
        owner.uuid,
    )
    await on_every_shard(
        [shards[0 if slot < 128 else 1]],
        "INSERT INTO identities (slot, kind, value, state, claimant, owner_slot, owner_id,"
        " expires_at) VALUES ($1, 'phone', $2, 'confirmed', gen_random_uuid(), $3, $4, now())",
        slot,
        number,
        owner.slot,
        owner.uuid,
    )
