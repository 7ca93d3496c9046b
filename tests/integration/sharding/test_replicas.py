"""Reading from replicas: a real primary and standbys made by pg_basebackup."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Text, column, func, insert, select, table, text

from shared.sharding import EntityId, ShardConfig, Shards, Slot, Topology, read_stats
from shared.sharding.positions import Positions, shard_key, track_positions
from socialnet.embedded.postgres import USER, PostgresCluster
from tests.integration.sharding.conftest import (
    FIRST,
    NOTES,
    SETTINGS,
    create_tables,
    note_values,
    write_notes,
)
from tests.support.postgres import reachable_folder
from tests.support.replication import ReplicatedShard, ask, replicated_shard
from tests.support.waiting import until

SLOT = Slot(3)
WHERE = select(func.pg_is_in_recovery())
KEY = shard_key(SETTINGS.domain, FIRST)


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[ReplicatedShard]:
    with reachable_folder() as folder:
        async with replicated_shard(folder, standbys=2) as shard:
            yield shard


@pytest.fixture
async def config(servers: ReplicatedShard) -> AsyncIterator[ShardConfig]:
    await servers.primary.create_database("notes")
    config = servers.config("notes")
    await create_tables(config.primary)
    await servers.caught_up()
    yield config
    await servers.primary.drop_database("notes")


@pytest.fixture
async def shards(config: ShardConfig) -> AsyncIterator[Shards]:
    settings = replace(SETTINGS, health_interval=0.05, replica_max_lag=60.0)
    async with Shards(Topology.initial([config]), settings) as shards:
        await readable(shards, 2)
        yield shards


async def readable(shards: Shards, count: int) -> None:
    """Wait until so many replicas are in rotation."""
    shard = shards._shard(FIRST)
    assert shard.servers is not None
    shard.servers.watch()

    async def enough() -> bool:
        assert shard.servers is not None
        return len(shard.servers.readable()) == count

    await until(enough)


async def on_replica(shards: Shards, *, fresh: bool = False) -> bool:
    async with shards.read(SLOT, fresh=fresh) as session:
        return bool((await session.execute(WHERE)).scalar_one())


async def count(shards: Shards) -> int:
    async with shards.read(SLOT) as session:
        found = await session.execute(select(func.count()).select_from(NOTES))
        return int(found.scalar_one())


async def pause(server: PostgresCluster) -> None:
    await ask(server, "SELECT pg_wal_replay_pause()")

    async def paused() -> bool:
        return bool(await ask(server, "SELECT pg_get_wal_replay_pause_state() = 'paused'"))

    await until(paused)


@pytest.fixture
async def paused(servers: ReplicatedShard, shards: Shards) -> AsyncIterator[None]:
    """Once the fixtures' tables are there, replicas replay nothing more."""
    del shards
    await asyncio.gather(*map(pause, servers.standbys))
    yield
    for server in servers.standbys:
        await ask(server, "SELECT pg_wal_replay_resume()")


async def test_requests_read_from_all_replicas_in_turn(shards: Shards) -> None:
    address = select(func.current_setting("unix_socket_directories"))
    with track_positions(None):
        async with shards.read(SLOT) as session:
            seen = {(await session.execute(address)).scalar_one() for _ in range(4)}
        assert await on_replica(shards)

    assert len(seen) == 2


async def test_what_is_no_request_reads_the_primary(shards: Shards) -> None:
    assert not await on_replica(shards)


async def test_a_fresh_read_goes_to_the_primary(shards: Shards) -> None:
    with track_positions(None):
        assert not await on_replica(shards, fresh=True)


async def test_after_a_write_the_same_request_reads_the_primary(shards: Shards) -> None:
    with track_positions(None) as positions:
        assert await on_replica(shards)
        await write_notes(shards, [SLOT])
        assert not await on_replica(shards)
        assert await count(shards) == 1
    assert positions.token() is not None


@pytest.mark.usefixtures("paused")
async def test_a_client_with_a_token_sees_its_write_while_replicas_stand_still(
    shards: Shards,
) -> None:
    with track_positions(None) as positions:
        await write_notes(shards, [SLOT])

    with track_positions(positions.token()):
        assert (await count(shards), await on_replica(shards)) == (1, False)
    with track_positions(None):
        assert (await count(shards), await on_replica(shards)) == (0, True)


async def test_a_client_with_a_token_reads_replicas_once_they_have_its_write(
    servers: ReplicatedShard, shards: Shards
) -> None:
    with track_positions(None) as positions:
        await write_notes(shards, [SLOT])
    await servers.caught_up()

    async def read_from_replica() -> bool:
        with track_positions(positions.token()):
            assert await count(shards) == 1
            return await on_replica(shards)

    await until(read_from_replica)


async def test_a_token_waits_for_the_commit_itself(
    servers: ReplicatedShard, shards: Shards
) -> None:
    for _ in range(20):
        with track_positions(None) as positions:
            await write_notes(shards, [SLOT])
        required = positions.required(KEY)
        assert required is None  # it has written
        wanted = Positions(positions.token()).required(KEY)
        behind = f"SELECT pg_current_wal_lsn() - '0/0' <= {wanted}"
        assert await ask(servers.primary, behind)


async def test_a_transaction_without_replicas_runs_no_further_statement(
    servers: ReplicatedShard, config: ShardConfig
) -> None:
    alone = ShardConfig(id=FIRST, primary=config.primary)
    async with Shards(Topology.initial([alone]), SETTINGS) as shards:
        with track_positions(None) as positions:
            await write_notes(shards, [SLOT])
        assert positions.token() is None
        last = "SELECT query FROM pg_stat_activity WHERE application_name = 'tests'"
        assert (await ask(servers.primary, last)).startswith("COMMIT")


async def test_a_table_that_a_replica_lacks_is_read_on_the_primary(
    servers: ReplicatedShard, shards: Shards
) -> None:
    await asyncio.gather(*map(pause, servers.standbys))
    try:
        async with shards.write(SLOT) as session:
            await session.execute(text("CREATE TABLE later (note text)"))
        with track_positions(None):
            async with shards.read(SLOT) as reader:
                later = select(column("note", Text)).select_from(table("later"))
                assert (await reader.execute(later)).all() == []
    finally:
        for server in servers.standbys:
            await ask(server, "SELECT pg_wal_replay_resume()")


@pytest.mark.usefixtures("paused")
async def test_a_replica_that_is_too_far_behind_is_not_read(
    shards: Shards, config: ShardConfig
) -> None:
    strict = replace(shards.settings, replica_max_lag=0.2)
    async with Shards(Topology.initial([config]), strict) as others:
        await readable(others, 2)
        await write_notes(shards, [SLOT])
        await readable(others, 0)
        with track_positions(None):
            assert await count(others) == 1


async def test_a_dead_replica_is_left_out_and_comes_back(
    servers: ReplicatedShard, shards: Shards
) -> None:
    first, second = servers.standbys
    with track_positions(None):
        await asyncio.gather(*(on_replica(shards) for _ in range(8)))  # connections to both
        await first.kill()
        try:
            assert all(await asyncio.gather(*(count_or_replica(shards) for _ in range(20))))
            await readable(shards, 1)
            assert await on_replica(shards)
            await second.kill()
            try:
                await readable(shards, 0)
                assert not await on_replica(shards)
            finally:
                await second.start()
        finally:
            await first.start()
        await readable(shards, 2)
        assert await on_replica(shards)


async def count_or_replica(shards: Shards) -> bool:
    """Whether a read has an answer, from wherever."""
    return await on_replica(shards) in {True, False}


async def test_lag_and_connections_are_measured_by_server(shards: Shards) -> None:
    with track_positions(None):
        await asyncio.gather(*(on_replica(shards) for _ in range(4)))
        await write_notes(shards, [SLOT])
    servers = shards._shard(FIRST).servers
    assert servers is not None
    labels = {"domain": "notes", "shard": FIRST}

    for server in servers.readable():
        named = labels | {"server": server.name}
        lag = REGISTRY.get_sample_value("socialnet_shard_replication_lag_seconds", named)
        idle = REGISTRY.get_sample_value("socialnet_shard_connections", named | {"state": "idle"})
        assert lag is not None
        assert 0 <= lag < 10
        assert idle is not None
        assert idle >= 1
    busy = labels | {"server": "primary", "state": "in_use"}
    async with shards.write(SLOT) as session:
        await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
        assert REGISTRY.get_sample_value("socialnet_shard_connections", busy) == 1
    assert REGISTRY.get_sample_value("socialnet_shard_connections", busy) == 0


async def test_statistics_tell_primary_replicas_and_what_is_down(
    servers: ReplicatedShard, shards: Shards
) -> None:
    await write_notes(shards, [SLOT] * 3)
    await servers.caught_up()
    await servers.standbys[1].kill()
    try:
        primary, replica, lost = await read_stats(shards, "notes")
    finally:
        await servers.standbys[1].start()

    assert [each.role for each in (primary, replica, lost)] == ["PRIMARY", "REPLICA", "DOWN"]
    assert (primary.lag, replica.rows, lost.bytes) == (None, None, None)
    assert replica.lag is not None
    assert replica.lag < 60
    assert primary.bytes == replica.bytes


async def test_an_ordinary_role_finds_primary_and_replicas(
    servers: ReplicatedShard, config: ShardConfig
) -> None:
    await ask(servers.primary, "CREATE ROLE plain LOGIN")  # as a domain's own: no superuser
    await servers.caught_up()
    try:
        ordinary = ShardConfig(
            id=FIRST,
            primary=config.primary.replace(f"{USER}@", "plain@"),
            replicas=tuple(url.replace(f"{USER}@", "plain@") for url in config.replicas),
        )
        async with Shards(Topology.initial([ordinary]), SETTINGS) as shards:
            await readable(shards, 2)
            roles = [each.role for each in await read_stats(shards, "notes")]
            with track_positions(None):
                assert await on_replica(shards)
                assert not await on_replica(shards, fresh=True)
    finally:
        await ask(servers.primary, "DROP ROLE plain")

    assert roles == ["PRIMARY", "REPLICA", "REPLICA"]
