from __future__ import annotations

import asyncio

from shared.sharding import (
    ShardConfig,
    ShardId,
    Shards,
    ShardSettings,
    ShardUnavailableError,
    Slot,
    SlotWalk,
    Topology,
)

SHARDS = Shards(
    Topology.initial([ShardConfig(id=ShardId("shard-0"), primary="postgresql://x/y")], slots=8),
    ShardSettings(domain="test", application_name="test"),
)


async def test_a_round_visits_every_slot_once_whatever_some_of_them_raise() -> None:
    visited: list[Slot] = []

    async def work(slot: Slot) -> None:
        visited.append(slot)
        if slot == 3:
            raise ShardUnavailableError(ShardId("shard-0"))
        if slot == 5:
            raise ValueError("a bug")

    await SlotWalk("test", SHARDS, work).walk()

    assert sorted(visited) == list(range(8))


async def test_it_goes_round_and_round_until_it_is_stopped() -> None:
    visits = 0
    enough = asyncio.Event()

    async def work(_: Slot) -> None:
        nonlocal visits
        visits += 1
        if visits == 20:
            enough.set()
            await asyncio.Event().wait()

    walk = SlotWalk("test", SHARDS, work, period=0.008)
    await walk.start()
    async with asyncio.timeout(10):
        await enough.wait()
        await walk.stop()
    await walk.stop()

    assert visits == 20
