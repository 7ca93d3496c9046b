"""Tokens: what a client carries from its writes to its reads."""

from __future__ import annotations

import asyncio

import pytest

from shared.sharding.ids import ShardId
from shared.sharding.positions import (
    Position,
    Positions,
    current_positions,
    shard_key,
    track_positions,
)

USERS_0 = shard_key("users", ShardId("shard-0"))
USERS_1 = shard_key("users", ShardId("shard-1"))
POSTS_0 = shard_key("posts", ShardId("shard-0"))


def written(brought: str | None = None, **at: int) -> str:
    """The token of a request that wrote there; keywords are `users_0` and the like."""
    keys = {"users_0": USERS_0, "users_1": USERS_1, "posts_0": POSTS_0}
    positions = Positions(brought)
    for name, position in at.items():
        positions.wrote(keys[name])
        positions.reached(keys[name], Position(position))
    token = positions.token()
    assert token is not None
    return token


def test_a_request_that_wrote_nothing_has_no_token() -> None:
    assert Positions().token() is None
    assert Positions(written(users_0=7)).token() is None


def test_a_request_without_a_token_reads_any_replica() -> None:
    assert Positions().required(USERS_0) == 0


def test_a_token_tells_how_far_a_replica_must_be_by_domain_and_shard() -> None:
    token = written(users_0=2**40)

    reader = Positions(token)
    assert [reader.required(key) for key in (USERS_0, USERS_1, POSTS_0)] == [2**40, 0, 0]
    assert len(token) == 16


def test_after_a_write_only_the_primary_of_that_shard_will_do() -> None:
    positions = Positions()

    positions.wrote(USERS_0)

    assert positions.required(USERS_0) is None
    assert positions.required(USERS_1) == 0


def test_a_new_token_keeps_what_was_brought_and_the_greatest_of_each() -> None:
    first = written(users_0=9, posts_0=5)
    second = written(first, users_0=4, users_1=3)

    reader = Positions(second)
    assert [reader.required(key) for key in (USERS_0, USERS_1, POSTS_0)] == [9, 3, 5]


@pytest.mark.parametrize("joint", [",", ", ", " ,, "])
def test_tokens_of_several_answers_may_be_joined(joint: str) -> None:
    joined = joint.join([written(users_0=9), written(posts_0=5), written(users_0=11)])

    reader = Positions(joined)
    assert [reader.required(key) for key in (USERS_0, POSTS_0)] == [11, 5]


@pytest.mark.parametrize(
    "garbage", ["x", "AAAA", "ÿ" * 16, "=" * 16, "A" * 17, "*" * 16, ",".join(["A" * 16] * 257)]
)
def test_what_is_no_token_reads_primaries_only(garbage: str) -> None:
    positions = Positions(garbage)

    assert positions.required(USERS_0) is None
    assert positions.token() is None


def test_an_empty_token_is_none_at_all() -> None:
    assert Positions(" , ").required(USERS_0) == 0


async def test_tasks_of_a_request_share_its_positions() -> None:
    async def write() -> None:
        positions = current_positions()
        assert positions is not None
        positions.wrote(USERS_0)

    with track_positions(None) as positions:
        await asyncio.create_task(write())

    assert positions.required(USERS_0) is None
    assert current_positions() is None
