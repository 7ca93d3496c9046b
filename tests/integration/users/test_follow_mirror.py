"""The followee's side of follows: events twice, in any order, and against blocks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import TypeAlias

import pytest
from sqlalchemy import insert

from shared.events import Delivery, Event, EventPayload
from shared.limits import RateLimiter
from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, Topology
from shared.sharding.uuid7 import new_uuid7
from subgraphs.users.events import UserFollowed, UserFollowerRemoved, UserUnfollowed
from subgraphs.users.repository import FollowRepository
from subgraphs.users.service import FollowMirror, FollowService
from subgraphs.users.tables import blocks
from tests.integration.users.people import Meet, Person
from tests.support.follows import (
    block,
    block_values,
    locked,
    pairs_of,
    read_follows,
    settled,
)
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import new_id

UserShards: TypeAlias = tuple[ShardConfig, ...]


@pytest.fixture
async def shards(users_shards: UserShards) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(users_shards), ShardSettings(domain="users")) as opened:
        yield opened


@pytest.fixture
def mirror(shards: Shards) -> FollowMirror:
    return FollowMirror(shards, FollowRepository())


def _delivery(payload: EventPayload, follower: EntityId) -> Delivery:
    event = Event.of(payload, slot=follower.slot, actor=follower)
    return Delivery(key=payload.entity_id(), event=event)


def _events(follower: EntityId, followee: Person, kinds: str) -> list[Delivery]:
    """`FUF`: followed, unfollowed, and followed again."""
    deliveries = []
    follow_id = new_uuid7()
    for kind in kinds:
        if kind == "F":
            follow_id = new_uuid7()
        payload = UserFollowed if kind == "F" else UserUnfollowed
        told = payload(follower_id=str(follower), followee_id=followee.id, follow_id=follow_id)
        deliveries.append(_delivery(told, follower))
    return deliveries


@pytest.mark.parametrize("kinds", ["FU", "FUF", "FUFU"])
async def test_events_end_right_in_every_order_and_however_often(
    mirror: FollowMirror, meet: Meet, users_shards: UserShards, kinds: str
) -> None:
    (bob,) = await meet(1)
    orders = list(itertools.permutations(range(len(kinds))))
    expected = 0

    for number, order in enumerate(orders):
        follower = new_id(number)
        deliveries = _events(follower, bob, kinds)
        for index in order:
            await mirror.consume(deliveries[index])
            await mirror.consume(deliveries[index])
        for index in order:
            await mirror.consume(deliveries[index])
        expected += kinds.endswith("F")
        rows = await on_every_shard(users_shards, "SELECT follower_id FROM followers")
        assert len(rows) == expected, (kinds, order)

    assert await bob.counts(bob) == (expected, 0)


async def test_the_same_events_at_once_have_one_effect(
    mirror: FollowMirror, meet: Meet, users_shards: UserShards
) -> None:
    (bob,) = await meet(1)
    deliveries = [_events(new_id(number), bob, "F")[0] for number in range(10)]

    await asyncio.gather(*(mirror.consume(delivery) for delivery in deliveries * 3))

    assert len(await on_every_shard(users_shards, "SELECT 1 FROM followers")) == 10
    assert await bob.counts(bob) == (10, 0)


async def test_other_events_are_passed_over(mirror: FollowMirror, meet: Meet) -> None:
    (bob,) = await meet(1)
    (followed,) = _events(new_id(1), bob, "F")

    later = followed.event.model_copy(update={"version": 2})
    await mirror.consume(Delivery(key=followed.key, event=later))

    assert await bob.counts(bob) == (0, 0)


async def test_a_block_between_check_and_mirror_takes_the_follow_back(
    meet: Meet, users_shards: UserShards
) -> None:
    ada, bob = await meet(2)

    async with locked(users_shards, EntityId.parse(bob.id)) as connection:
        (await ada.follow(bob)).ok()  # the check has seen no block, the mirror waits
        await block(connection, EntityId.parse(bob.id), EntityId.parse(ada.id))

    assert await pairs_of(users_shards) == set()
    assert await ada.counts(ada) == (0, 0)
    told = await on_every_shard(
        users_shards, "SELECT payload->>'followerId' FROM outbox WHERE type LIKE '%_removed'"
    )
    assert told == [(ada.id,)]


async def test_a_follow_renewed_before_its_old_end_arrives_stays(
    mirror: FollowMirror, meet: Meet, users_shards: UserShards
) -> None:
    # given a follow that the followee's side has ended, and a follower's side that does not know
    ada, bob = await meet(2)
    (await ada.follow(bob)).ok()
    await settled(users_shards)
    ((_, _, follow_id),) = await read_follows(users_shards)
    await on_every_shard(users_shards, "DELETE FROM followers")
    await on_every_shard(users_shards, "UPDATE users SET follower_count = 0")

    (await ada.follow(bob)).ok()
    old_end = UserFollowerRemoved(follower_id=ada.id, followee_id=bob.id, follow_id=follow_id)
    await mirror.consume(_delivery(old_end, EntityId.parse(bob.id)))

    assert await pairs_of(users_shards) == {(ada.id, bob.id)}


async def test_all_follows_of_who_is_gone_end_in_batches(
    shards: Shards, meet: Meet, users_shards: UserShards
) -> None:
    ada, bob, eve, joe = await meet(4)
    for follower, followee in ((ada, bob), (eve, bob), (joe, bob), (bob, ada), (bob, eve)):
        (await follower.follow(followee)).ok()
    (await joe.follow(eve)).ok()
    await settled(users_shards)
    gone = EntityId.parse(bob.id)
    await on_every_shard(
        users_shards, "UPDATE users SET status = 'DELETED' WHERE id = $1", gone.uuid
    )
    service = FollowService(shards, FollowRepository(), RateLimiter.in_memory())

    ended: list[int] = []
    while not ended or ended[-1]:
        async with shards.write(gone.slot) as session:
            ended.append(await service.end_some(session, gone, 2))

    assert ended == [4, 1, 0]
    assert await pairs_of(users_shards) == {(joe.id, eve.id)}


async def test_who_is_deleted_before_the_event_arrives_gets_no_follower(
    meet: Meet, users_shards: UserShards
) -> None:
    ada, bob = await meet(2)

    async with locked(users_shards, EntityId.parse(bob.id)) as connection:
        (await ada.follow(bob)).ok()
        await connection.execute(
            "UPDATE users SET status = 'DELETED' WHERE id = $1", EntityId.parse(bob.id).uuid
        )

    assert await pairs_of(users_shards) == set()


async def test_severing_ends_follows_both_ways_whatever_is_under_way(
    shards: Shards, meet: Meet, users_shards: UserShards
) -> None:
    # given one follow that both sides have, and one whose other side has to wait
    ada, bob, eve = await meet(3)
    for follower, followee in ((ada, bob), (bob, ada), (bob, eve)):
        (await follower.follow(followee)).ok()
    await settled(users_shards)
    service = FollowService(shards, FollowRepository(), RateLimiter.in_memory())

    for other in (ada, eve):
        first, second = EntityId.parse(bob.id), EntityId.parse(other.id)
        (await eve.follow(bob)).ok()
        async with shards.write(first.slot) as session:
            await session.execute(insert(blocks), block_values(first, second))
            await service.sever(session, first, second)

    assert await pairs_of(users_shards) == set()
