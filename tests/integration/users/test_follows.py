"""Following: what is written on both users' slots, and who may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TypeAlias

import pytest

from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.people import FOLLOW, UNFOLLOW, Meet, Person
from tests.support.follows import block, locked, pairs_of, read_follows, settled
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import SubgraphClient, Tokens, new_id, running, shard_entries

Shards: TypeAlias = tuple[ShardConfig, ...]


async def test_following_is_seen_from_both_sides(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)

    answer = await ada.follow(bob)

    assert answer.ok()["follow"] | {"followerCount": None} == {
        "id": bob.id,
        "handle": answer.ok()["follow"]["handle"],
        "isFollowedByMe": True,
        "followsMe": False,
        "followerCount": None,
    }
    assert await pairs_of(users_shards) == {(ada.id, bob.id)}
    assert await bob.counts(bob) == (1, 0)
    assert await bob.counts(ada) == (0, 1)


async def test_unfollowing_undoes_it(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)
    (await ada.follow(bob)).ok()
    (await bob.follow(ada)).ok()

    answer = await ada.unfollow(bob)

    assert answer.ok()["unfollow"] == {"id": bob.id, "isFollowedByMe": False}
    assert await pairs_of(users_shards) == {(bob.id, ada.id)}


async def test_both_are_idempotent(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)

    (await ada.unfollow(bob)).ok()
    (await ada.follow(bob)).ok()
    assert await pairs_of(users_shards) == {(ada.id, bob.id)}
    (await ada.follow(bob)).ok()
    assert await pairs_of(users_shards) == {(ada.id, bob.id)}
    told = await on_every_shard(
        users_shards, "SELECT type FROM outbox WHERE type = 'user.followed'"
    )
    assert len(told) == 1  # the second one changed nothing
    (await ada.unfollow(bob)).ok()
    (await ada.unfollow(bob)).ok()
    assert await pairs_of(users_shards) == set()


async def test_the_same_follow_many_times_at_once_counts_once(
    meet: Meet, users_shards: Shards
) -> None:
    ada, bob = await meet(2)

    for answer in await asyncio.gather(*(ada.follow(bob) for _ in range(8))):
        answer.ok()

    assert await pairs_of(users_shards) == {(ada.id, bob.id)}


async def test_following_unfollowing_and_following_quickly_ends_followed(
    meet: Meet, users_shards: Shards
) -> None:
    ada, bob = await meet(2)

    for _ in range(3):
        (await ada.follow(bob)).ok()
        (await ada.unfollow(bob)).ok()
    (await ada.follow(bob)).ok()

    assert await pairs_of(users_shards) == {(ada.id, bob.id)}


async def test_following_oneself_is_refused(meet: Meet, users_shards: Shards) -> None:
    (ada,) = await meet(1)

    answer = await ada.follow(ada)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "userId"
    assert await pairs_of(users_shards) == set()


async def test_nobody_is_followed_who_is_not_there(meet: Meet, users_shards: Shards) -> None:
    (ada,) = await meet(1)

    assert (await ada.follow(str(new_id(3)))).codes == ["NOT_FOUND"]
    assert (await ada.unfollow(str(new_id(3)))).codes == ["NOT_FOUND"]

    assert await pairs_of(users_shards) == set()


@pytest.mark.parametrize("bad", ["", "x", "256-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", "1' OR 1=1"])
async def test_a_malformed_id_costs_no_statement(meet: Meet, bad: str) -> None:
    (ada,) = await meet(1)

    for answer in (await ada.follow(bad), await ada.unfollow(bad)):
        assert answer.codes == ["BAD_USER_INPUT"]
        assert answer.errors[0]["extensions"]["field"] == "userId"
        assert answer.extensions["sql"]["statements"] == 0


async def test_nobody_follows_without_signing_in(users: SubgraphClient, meet: Meet) -> None:
    (ada,) = await meet(1)

    assert (await users(FOLLOW, {"id": ada.id})).codes == ["UNAUTHENTICATED"]
    assert (await users(UNFOLLOW, {"id": "x"})).codes == ["UNAUTHENTICATED"]


async def test_who_has_no_account_any_more_follows_nobody(
    users: SubgraphClient, meet: Meet, tokens: Tokens, users_shards: Shards
) -> None:
    (ada,) = await meet(1)
    ghost = Person(users, str(new_id(200)), tokens.of(new_id(200)))

    assert (await ghost.follow(ada)).codes == ["UNAUTHENTICATED"]
    assert await pairs_of(users_shards) == set()


async def test_a_block_either_way_refuses(meet: Meet, users_shards: Shards) -> None:
    ada, bob, eve = await meet(3)
    for blocker, blocked in ((bob, ada), (ada, eve)):
        user = EntityId.parse(blocker.id)
        async with locked(users_shards, user) as connection:
            await block(connection, user, EntityId.parse(blocked.id))

    assert (await ada.follow(bob)).codes == ["USER_BLOCKED"]
    assert (await ada.follow(eve)).codes == ["USER_BLOCKED"]

    assert await pairs_of(users_shards) == set()


async def test_one_user_follows_only_so_many_in_a_time(
    users_shards: Shards, meet: Meet, tokens: Tokens
) -> None:
    ada, bob, eve = await meet(3)
    settings = UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.DEVELOPMENT,
        limit_follow_user="2/3600",
    )
    async with running(create_app(settings, issuer=tokens.issuer)) as users:
        ada, bob, eve = (replace(person, users=users) for person in (ada, bob, eve))
        (await ada.follow(bob)).ok()
        (await ada.follow(eve)).ok()
        refused = await ada.follow(bob)
        (await bob.follow(eve)).ok()

    assert refused.codes == ["RATE_LIMITED"]
    assert refused.errors[0]["extensions"]["retryAfter"] > 0


@pytest.mark.parametrize("status", ["DEACTIVATED", "DELETED"])
async def test_who_has_left_is_not_followed(meet: Meet, users_shards: Shards, status: str) -> None:
    ada, bob = await meet(2)
    await on_every_shard(
        users_shards,
        "UPDATE users SET status = $1 WHERE id = $2",
        *(status, EntityId.parse(bob.id).uuid),
    )

    assert (await ada.follow(bob)).codes == ["NOT_FOUND"]

    await settled(users_shards)
    assert await read_follows(users_shards) == set()
