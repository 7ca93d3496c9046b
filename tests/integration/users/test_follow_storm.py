"""Many people follow, unfollow, block and unblock each other at once: in the end all agrees."""

from __future__ import annotations

import asyncio
import random

import pytest

from shared.sharding import ShardConfig
from tests.integration.users.people import Meet, Person
from tests.support.follows import pairs_of
from tests.support.shard_rows import on_every_shard

_ROUNDS = 40


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_sides_agree_after_a_storm(
    meet: Meet, users_shards: tuple[ShardConfig, ...], seed: int
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
                    (await person.block(other)).ok()
                case _:
                    (await person.unblock(other)).ok()

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
