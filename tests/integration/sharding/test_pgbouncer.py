"""Shards behind PgBouncer in transaction mode: the traps of pooling, and the users subgraph."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Select, bindparam, select, text

from shared.db.connect import connect
from shared.db.readiness import RoleSettingsError, assert_ready
from shared.events import Delivery
from shared.settings import Environment
from shared.sharding import ShardConfig, Shards, ShardSettings, ShardTimeoutError, Slot, Topology
from socialnet.embedded.postgres import USER, PostgresCluster
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.support.pgbouncer import pgbouncer, pooled_url
from tests.support.postgres import reachable_folder
from tests.support.subgraphs import Tokens, cheap_passwords, running, shard_entries
from tests.support.waiting import until

SLOT = Slot(3)
SETTINGS = ShardSettings(domain="users", application_name="tests", statement_timeout=1.0)
LIMITS = {"statement_timeout": "1s", "transaction_timeout": "30s"}


@pytest.fixture(scope="module")
async def poolers(clusters: tuple[PostgresCluster, ...]) -> AsyncIterator[tuple[str, ...]]:
    """One in front of each server; the server has two connections for however many clients."""
    with reachable_folder() as folder:
        async with (
            pgbouncer(clusters[0], folder / "b0") as first,
            pgbouncer(clusters[1], folder / "b1") as second,
        ):
            yield first, second


@pytest.fixture
async def pooled(
    poolers: tuple[str, ...], users_shards: tuple[ShardConfig, ...]
) -> tuple[ShardConfig, ...]:
    """The users domain behind the poolers."""
    return tuple(
        replace(shard, primary=_pooled(shard, pooler), direct=(shard.primary,))
        for shard, pooler in zip(users_shards, poolers, strict=True)
    )


@pytest.fixture
async def limited(clusters: tuple[PostgresCluster, ...]) -> AsyncIterator[None]:
    """The role has the limits that connections behind PgBouncer cannot set."""
    await _alter_role(clusters, [f"SET {name} = '{value}'" for name, value in LIMITS.items()])
    yield
    await _alter_role(clusters, ["RESET ALL"])


@pytest.fixture
async def shards(pooled: tuple[ShardConfig, ...], limited: None) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(pooled), SETTINGS) as shards:
        yield shards


def _pooled(shard: ShardConfig, pooler: str) -> str:
    return pooled_url(pooler, shard.primary.split("/", 3)[3].split("?")[0])


async def _alter_role(clusters: tuple[PostgresCluster, ...], changes: list[str]) -> None:
    for cluster in clusters:
        connection = await connect(cluster.url("postgres"), application_name="test")
        for change in changes:
            await connection.execute(f"ALTER ROLE {USER} {change}")
        await connection.close()


async def _one(shards: Shards, statement: Any, **parameters: Any) -> Any:
    async with shards.read(SLOT) as session:
        return (await session.execute(statement, parameters or None)).scalar_one()


async def test_more_clients_than_connections_run_prepared_looking_statements(
    shards: Shards,
) -> None:
    statements: list[Select[tuple[int]]] = [
        select(bindparam("value") + number) for number in range(5)
    ]

    async def work(value: int) -> list[int]:
        return [await _one(shards, statement, value=value) for statement in statements * 3]

    answers = await asyncio.gather(*map(work, range(20)))

    assert answers == [[value + number for number in range(5)] * 3 for value in range(20)]


async def test_transactions_keep_their_connection(shards: Shards) -> None:
    async def work() -> bool:
        async with shards.write(SLOT) as session:
            ask = text("SELECT pg_backend_pid(), txid_current()")
            first = (await session.execute(ask)).one()
            await session.execute(text("SELECT pg_sleep(0.001)"))
            return tuple(first) == tuple((await session.execute(ask)).one())

    assert all(await asyncio.gather(*(work() for _ in range(12))))


async def test_the_roles_limits_hold_and_others_do_not_inherit_ours(shards: Shards) -> None:
    with pytest.raises(ShardTimeoutError):
        await _one(shards, text("SELECT pg_sleep(5)::text"))

    name = text("SELECT current_setting('application_name')")
    assert await _one(shards, name) == "tests"


async def test_a_role_without_limits_is_refused_at_the_start(
    clusters: tuple[PostgresCluster, ...], pooled: tuple[ShardConfig, ...]
) -> None:
    async with Shards(Topology.initial(pooled), SETTINGS) as shards:
        with pytest.raises(RoleSettingsError) as refusal:
            await assert_ready(shards)
    assert str(refusal.value).endswith(
        "is behind PgBouncer, so the limits must be its role's:"
        " ALTER ROLE ... SET statement_timeout = '1000ms',"
        " ALTER ROLE ... SET transaction_timeout = '30000ms'"
    )


@pytest.mark.usefixtures("limited")
async def test_the_users_subgraph_works_behind_pgbouncer(
    pooled: tuple[ShardConfig, ...],
) -> None:
    told: list[Delivery] = []

    class Heard:
        name = "heard"

        async def consume(self, delivery: Delivery) -> None:
            told.append(delivery)

    tokens = Tokens()
    settings = UsersSettings(
        shards=shard_entries(pooled), environment=Environment.DEVELOPMENT, statement_timeout=1.0
    )
    app = create_app(
        settings, issuer=tokens.issuer, passwords=cheap_passwords(), consumers=[Heard()]
    )
    async with running(app) as users:

        async def register(number: int) -> str:
            entered = {
                "email": f"pooled_{number}@example.com",
                "password": "correct horse 1",
                "handle": f"pooled_{number}",
                "displayName": "Pooled",
            }
            query = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }"
            answer = await users(query, {"input": entered})
            return str(answer.ok()["register"]["user"]["id"])

        ids = await asyncio.gather(*map(register, range(20)))

        async def heard() -> bool:  # the relay listens past the pooler
            return {delivery.key for delivery in told} == set(ids)

        await until(heard)
        query = "query ($ids: [ID!]!) { users(ids: $ids) { id } }"
        answer = await users(query, {"ids": ids}, token=tokens.of(None, "users:admin"))
        assert [user["id"] for user in answer.ok()["users"]] == ids
