"""A database records whose it is: settings that do not fit it are refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from shared.db.connect import connect
from shared.db.ownership import TopologyMismatchError, claim_databases
from shared.errors import OperatorError
from shared.settings import Environment
from shared.sharding import ShardConfig, ShardId, Topology
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.conftest import MakeShards
from tests.support.subgraphs import Tokens, cheap_passwords, running, shard_entries

Shards = tuple[ShardConfig, ...]


async def recorded(shard: ShardConfig) -> list[Any]:
    connection = await connect(shard.primary, application_name="test")
    try:
        query = "SELECT domain, shard, slots, epoch, owned FROM ownership"
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_the_first_to_start_records_what_each_database_is_for(users_shards: Shards) -> None:
    topology = Topology.initial(users_shards, 8)

    assert await claim_databases("users", topology) == ()

    assert [await recorded(shard) for shard in users_shards] == [
        [("users", "shard-0", 8, 1, [0, 1, 2, 3])],
        [("users", "shard-1", 8, 1, [4, 5, 6, 7])],
    ]


async def test_many_may_start_at_once_and_again(users_shards: Shards) -> None:
    topology = Topology.initial(users_shards)

    claims = [claim_databases("users", topology) for _ in range(8)]

    assert await asyncio.gather(*claims) == [()] * 8
    assert await claim_databases("users", topology) == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"slots": 16}, "is one of a deployment with 8 slots, not 16"),
        ({"weights": (3, 1)}, "shard-0 holds the slots 0-3, not 0-5"),
        ({"ids": ("shard-1", "shard-0")}, "database users on shard-1 is of shard-0"),
        ({"ids": ("shard-0", "shard-2")}, "database users on shard-2 is of shard-1"),
        ({"count": 1}, "shard-0 holds the slots 0-3, not 0-7"),
        ({"domain": "posts"}, "database posts on shard-0 is of users"),
    ],
    ids=lambda value: str(value),
)
async def test_settings_that_do_not_fit_are_refused_and_change_nothing(
    users_shards: Shards, change: dict[str, Any], problem: str
) -> None:
    await claim_databases("users", Topology.initial(users_shards, 8))
    before = [await recorded(shard) for shard in users_shards]
    changed = [
        replace(shard, id=ShardId(name), weight=weight)
        for shard, name, weight in zip(
            users_shards,
            change.get("ids", ("shard-0", "shard-1")),
            change.get("weights", (1, 1)),
            strict=True,
        )
    ]

    with pytest.raises(TopologyMismatchError) as refusal:
        await claim_databases(
            change.get("domain", "users"),
            Topology.initial(changed[: change.get("count", 2)], change.get("slots", 8)),
        )

    assert problem in str(refusal.value)
    assert "_SLOTS and " in str(refusal.value)
    assert str(make_url(users_shards[0].primary).query["host"]) not in str(refusal.value)
    assert [await recorded(shard) for shard in users_shards] == before


async def test_a_shard_that_is_down_is_left_out(users_shards: Shards) -> None:
    first, second = users_shards
    lost = replace(second, primary="postgresql://nobody@/users?host=/nonexistent")

    down = await claim_databases("users", Topology.initial([first, lost]))

    assert down == (second.id,)
    assert len(await recorded(first)) == 1


async def test_a_subgraph_does_not_start_with_another_number_of_slots(
    make_shards: MakeShards,
) -> None:
    shards = shard_entries(await make_shards("users"))

    def settings(slots: int) -> UsersSettings:
        return UsersSettings(shards=shards, slots=slots, environment=Environment.TEST)

    async def start(slots: int) -> None:
        tokens, passwords = Tokens(), cheap_passwords()
        app = create_app(settings(slots), issuer=tokens.issuer, passwords=passwords)
        async with running(app):
            pass

    await start(256)
    with pytest.raises(OperatorError, match="USERS_SLOTS and USERS_SHARDS"):
        await start(128)
    await start(256)
