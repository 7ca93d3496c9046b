from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.db.connect import connect
from shared.limits import RateLimiter
from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, Topology
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.repository import DeviceRepository, ErasureRepository, FollowRepository
from subgraphs.users.service import ErasureService, FollowService
from subgraphs.users.tables import metadata
from tests.integration.users.conftest import Register, rows_of
from tests.integration.users.test_credentials import PASSWORD
from tests.support.subgraphs import SubgraphClient, Tokens, new_id
from tests.support.waiting import until

Configs = tuple[ShardConfig, ...]
DELETE = "mutation ($password: String!) { deleteAccount(password: $password) }"
FOLLOW = "mutation ($id: ID!) { follow(userId: $id) { id } }"
COUNTS = "query ($ids: [ID!]!) { users(ids: $ids) { id followerCount followingCount } }"


@pytest.fixture
async def shards(users_shards: Configs) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(users_shards), ShardSettings(domain="users")) as opened:
        yield opened


def _erasure(shards: Shards, grace: timedelta = timedelta()) -> ErasureService:
    follows = FollowService(shards, FollowRepository(), RateLimiter.in_memory())
    devices = DeviceRepository()
    return ErasureService(shards, ErasureRepository(), follows, devices, grace=grace)


async def _execute(shards: Configs, statement: str, *values: object) -> None:
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        await connection.execute(statement, *values)
        await connection.close()


async def _insert(shards: Configs, table: str, row: dict[str, object]) -> None:
    """Insert a row on the shard of its slot."""
    shard = shards[0] if int(str(row["slot"])) < 128 else shards[1]
    connection = await connect(shard.primary, application_name="test")
    names, places = ", ".join(row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())  # noqa: S608
    await connection.close()


async def _relate(shards: Configs, owner: EntityId, other: EntityId, nickname: str) -> None:
    """Make `other` a contact of `owner`, and blocked by them."""
    common = {"slot": owner.slot, "id": new_id(0).uuid}
    await _insert(
        shards,
        "contacts",
        common
        | {
            "owner_id": owner.uuid,
            "contact_slot": other.slot,
            "contact_id": other.uuid,
            "created_at": other.created_at,
            "nickname": nickname,
        },
    )
    await _insert(
        shards,
        "blocks",
        common
        | {
            "blocker_id": owner.uuid,
            "blocked_slot": other.slot,
            "blocked_id": other.uuid,
            "created_at": other.created_at,
        },
    )


async def _everything(shards: Configs) -> dict[str, str]:
    """All rows of all tables but the outbox, which forgets by itself."""
    tables = set(metadata.tables) - {"outbox"}
    return {table: str([dict(row) for row in await rows_of(shards, table)]) for table in tables}


async def _friends(users: SubgraphClient, register: Register, count: int) -> tuple[Any, list[Any]]:
    """Ada, and users who follow her and whom she follows."""
    ada = (await register("ada", displayName="Ada Lovelace")).ok()["register"]
    others = [(await register(f"friend_{n}")).ok()["register"] for n in range(count)]
    for other in others:
        (await users(FOLLOW, {"id": other["user"]["id"]}, token=ada["accessToken"])).ok()
        (await users(FOLLOW, {"id": ada["user"]["id"]}, token=other["accessToken"])).ok()
    return ada, others


async def test_nothing_is_left_of_an_erased_user_but_a_stub(
    users: SubgraphClient, register: Register, tokens: Tokens, users_shards: Configs, shards: Shards
) -> None:
    ada, others = await _friends(users, register, 6)
    ada_id = EntityId.parse(ada["user"]["id"])
    ids = [EntityId.parse(other["user"]["id"]) for other in others]
    for other_id in ids:
        await _relate(users_shards, other_id, ada_id, "Countess")
        await _relate(users_shards, ada_id, other_id, "my friend")
    await _execute(
        users_shards, "UPDATE users SET bio = 'Analyst', phone = '+4930901820' WHERE handle = 'ada'"
    )
    await _insert(
        users_shards,
        "devices",
        {
            "slot": ada_id.slot,
            "id": new_id(0).uuid,
            "user_id": ada_id.uuid,
            "platform": "WEB",
            "token": "push token",
            "created_at": ada_id.created_at,
        },
    )
    variables = {"ids": [other["user"]["id"] for other in others]}

    async def mirrored() -> bool:
        seen = (await users(COUNTS, variables, token=tokens.of(new_id(0)))).ok()["users"]
        return all((u["followerCount"], u["followingCount"]) == (1, 1) for u in seen)

    await until(mirrored)
    (await users(DELETE, {"password": PASSWORD}, token=ada["accessToken"])).ok()

    erased = await _erasure(shards).erase_due(ada_id.slot)

    assert erased == 1

    async def forgotten() -> bool:
        left = await _everything(users_shards)
        elsewhere = {table for table, text in left.items() if str(ada_id.uuid) in text}
        return elsewhere == {"users"}

    await until(forgotten)
    text = str(await _everything(users_shards))
    for secret in ("ada@example.com", "'ada'", "Lovelace", "Analyst", "Countess", "push token"):
        assert secret not in text
    assert "my friend" not in text
    seen = (await users(COUNTS, variables, token=tokens.of(new_id(0)))).ok()["users"]
    assert {(user["followerCount"], user["followingCount"]) for user in seen} == {(0, 0)}
    events = [row["type"] for row in await rows_of(users_shards, "outbox")]
    assert events.count("device.removed") == 1
    (row,) = (row for row in await rows_of(users_shards, "users") if row["id"] == ada_id.uuid)
    assert (row["status"], row["handle"], row["password_hash"]) == ("DELETED", "deleted", None)
    assert (row["follower_count"], row["following_count"]) == (0, 0)
    # the names are free, and the account cannot be signed in to
    (await register("ada")).ok()


async def test_who_was_deleted_lately_is_not_erased(
    users: SubgraphClient, register: Register, users_shards: Configs, shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    slot = EntityId.parse(ada["user"]["id"]).slot
    erasure = _erasure(shards, grace=timedelta(days=30))
    (await users(DELETE, {"password": PASSWORD}, token=ada["accessToken"])).ok()

    at_once = await erasure.erase_due(slot)
    await _execute(users_shards, "UPDATE users SET deleted_at = now() - interval '29 days'")
    still_not = await erasure.erase_due(slot)
    await _execute(users_shards, "UPDATE users SET deleted_at = now() - interval '31 days'")
    now = await erasure.erase_due(slot)
    again = await erasure.erase_due(slot)

    assert (at_once, still_not, now, again) == (0, 0, 1, 0)


async def test_who_is_not_deleted_is_not_erased(
    users: SubgraphClient, register: Register, users_shards: Configs, shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    (await users("mutation { deactivateAccount }", token=ada["accessToken"])).ok()

    assert await _erasure(shards).erase_due(EntityId.parse(ada["user"]["id"]).slot) == 0
    (row,) = await rows_of(users_shards, "users")
    assert row["email"] == "ada@example.com"


async def test_two_processes_erase_a_user_once(
    users: SubgraphClient, register: Register, users_shards: Configs, shards: Shards
) -> None:
    ada, _ = await _friends(users, register, 3)
    slot = EntityId.parse(ada["user"]["id"]).slot
    (await users(DELETE, {"password": PASSWORD}, token=ada["accessToken"])).ok()

    counts = await asyncio.gather(*(_erasure(shards).erase_due(slot) for _ in range(6)))

    assert sum(counts) == 1
    types = [row["type"] for row in await rows_of(users_shards, "outbox")]
    assert types.count("user.erased") == 1
    assert types.count("user.unfollowed") == types.count("user.follower_removed") == 3


async def test_long_lists_are_erased_in_parts(
    users: SubgraphClient, register: Register, users_shards: Configs, shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    ada_id = EntityId.parse(ada["user"]["id"])
    for table, owner, other in (
        ("contacts", "owner", "contact"),
        ("blocks", "blocker", "blocked"),
    ):
        await _execute(
            users_shards[:1] if ada_id.slot < 128 else users_shards[1:],
            f"INSERT INTO {table} (slot, {owner}_id, {other}_slot, {other}_id, id, created_at) "  # noqa: S608
            "SELECT $1, $2, 7, gen_random_uuid(), gen_random_uuid(), now() "
            "FROM generate_series(1, 950)",
            ada_id.slot,
            ada_id.uuid,
        )
    (await users(DELETE, {"password": PASSWORD}, token=ada["accessToken"])).ok()

    assert await _erasure(shards).erase_due(ada_id.slot) == 1
    assert await rows_of(users_shards, "contacts") == []
    assert await rows_of(users_shards, "blocks") == []


async def test_what_a_lost_shard_has_about_an_erased_user_goes_when_it_is_back(
    users: SubgraphClient,
    register: Register,
    users_shards: Configs,
    shards: Shards,
    clusters: Sequence[PostgresCluster],
) -> None:
    others = [(await register(f"user_{n}")).ok()["register"] for n in range(12)]
    ids = [EntityId.parse(other["user"]["id"]) for other in others]
    gone = next(n for n, other_id in enumerate(ids) if other_id.slot < 128)
    there = next(other_id for other_id in ids if other_id.slot >= 128)
    await _relate(users_shards, there, ids[gone], "nickname")
    (await users(DELETE, {"password": PASSWORD}, token=others[gone]["accessToken"])).ok()

    await clusters[1].stop("immediate")
    try:
        erased = await _erasure(shards).erase_due(ids[gone].slot)
    finally:
        await clusters[1].start()

    assert erased == 1

    async def forgotten() -> bool:
        return await rows_of(users_shards, "contacts") == []

    await until(forgotten)
