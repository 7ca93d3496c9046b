"""Many people follow, unfollow, block and unblock each other at once: in the end all agrees."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import delete, insert

from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, Topology
from subgraphs.users.repository import FollowRepository
from subgraphs.users.service import FollowService
from subgraphs.users.tables import blocks
from tests.integration.users.people import Meet, Person
from tests.support.follows import block_values, pairs_of
from tests.support.shard_rows import on_every_shard

_ROUNDS = 40


@pytest.fixture
async def shards(users_shards: tuple[ShardConfig, ...]) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(users_shards), ShardSettings(domain="users")) as opened:
        yield opened


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_sides_agree_after_a_storm(
    meet: Meet, shards: Shards, users_shards: tuple[ShardConfig, ...], seed: int
) -> None:
    people = await meet(8)

    async def live(person: Person, rng: random.Random) -> None:
        for _ in range(_ROUNDS):
            # few others, so that the same pairs meet again and again
            other = rng.choice([each for each in people[:5] if each is not person])
            match rng.choices(["follow", "unfollow", "block", "unblock"], [6, 3, 1, 1])[0]:
                case "follow":
                    answer = await person.follow(other)
                    assert answer.codes in ([], ["USER_BLOCKED"])
                case "unfollow":
                    (await person.unfollow(other)).ok()
                case "block":
                    await _block(shards, person, other)
                case _:
                    await _unblock(shards, person, other)

    # each person acts from two devices at once
    await asyncio.gather(
        *(live(person, random.Random(f"{seed} {n}")) for n, person in enumerate(people * 2))
    )

    follows = await pairs_of(users_shards)
    rows = await on_every_shard(
        users_shards, "SELECT slot, blocker_id, blocked_slot, blocked_id FROM blocks"
    )
    blocked = {(f"{a}-{b.hex}", f"{c}-{d.hex}") for a, b, c, d in rows}
    assert follows
    assert blocked
    assert follows.isdisjoint(blocked | {(second, first) for first, second in blocked})


async def _block(shards: Shards, blocker: Person, blocked: Person) -> None:
    first, second = EntityId.parse(blocker.id), EntityId.parse(blocked.id)
    repository = FollowRepository()
    async with shards.write(first.slot) as session:
        await repository.lock_user(session, first)
        if not await repository.has_blocked(session, first, second):
            await session.execute(insert(blocks), block_values(first, second))
            await FollowService(shards, repository).sever(session, first, second)


async def _unblock(shards: Shards, blocker: Person, blocked: Person) -> None:
    first, second = EntityId.parse(blocker.id), EntityId.parse(blocked.id)
    async with shards.write(first.slot) as session:
        await session.execute(
            delete(blocks).where(
                blocks.c.slot == first.slot,
                blocks.c.blocker_id == first.uuid,
                blocks.c.blocked_id == second.uuid,
            )
        )
