"""Sessions on real shards: transactions, dead connections, slow statements."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from shared.errors import ErrorCode
from shared.sharding import (
    EntityId,
    Shards,
    ShardSettings,
    ShardTimeoutError,
    ShardUnavailableError,
    Slot,
    Topology,
    count_statements,
)
from tests.integration.sharding.conftest import (
    FIRST,
    NOTES,
    SECOND,
    SETTINGS,
    Domain,
    note_values,
    write_notes,
)

SLOT = Slot(3)  # on the first shard


async def count_notes(shards: Shards, slot: Slot = SLOT) -> int:
    async with shards.read(slot) as session:
        count = await session.execute(select(func.count()).select_from(NOTES))
        return int(count.scalar_one())


async def backends_killed(domain: Domain, slot: Slot) -> None:
    """Ends every other connection to the slot's database, as a restart of PostgreSQL does."""
    config = domain.shards.topology.shard(domain.shards.topology.shard_of(slot))
    async with Shards(Topology.initial([config]), SETTINGS) as others, others.read(slot) as session:
        killed = await session.execute(
            text(
                "SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        assert killed.scalar_one() >= 1


async def test_a_transaction_commits_at_the_end_of_the_block(shards: Shards) -> None:
    note = EntityId.new(SLOT)

    async with shards.write(SLOT) as session:
        await session.execute(insert(NOTES), note_values(note))
        assert await count_notes(shards) == 0  # others do not see it yet

    assert await count_notes(shards) == 1


async def test_an_exception_in_the_block_rolls_everything_back(shards: Shards) -> None:
    async def write_and_fail() -> None:
        async with shards.write(SLOT) as session:
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()

    assert await count_notes(shards) == 0


async def test_a_cancelled_block_rolls_back_and_gives_its_connection_back(shards: Shards) -> None:
    inserted = asyncio.Event()

    async def write_and_wait() -> None:
        async with shards.write(SLOT) as session:
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
            inserted.set()
            await session.execute(text("SELECT pg_sleep(60)"))

    for _ in range(2 * SETTINGS.pool_size + SETTINGS.max_overflow):  # more than the pool could lose
        task = asyncio.create_task(write_and_wait())
        await inserted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        inserted.clear()

    assert await count_notes(shards) == 0


async def test_a_session_carries_its_shard_and_slot(shards: Shards) -> None:
    assert (shards.write(SLOT).shard, shards.write(SLOT).slot) == (FIRST, SLOT)
    assert (shards.read(Slot(200)).shard, shards.read(Slot(200)).slot) == (SECOND, Slot(200))
    assert (shards.read_on(SECOND).shard, shards.read_on(SECOND).slot) == (SECOND, None)


async def test_a_constraint_violation_is_passed_on_as_it_is(shards: Shards) -> None:
    [note] = await write_notes(shards, [SLOT])

    with pytest.raises(IntegrityError):
        async with shards.write(SLOT) as session:
            await session.execute(insert(NOTES), note_values(note))

    assert await count_notes(shards) == 1


async def test_a_transaction_with_a_failed_statement_cannot_go_on_or_end_well(
    shards: Shards,
) -> None:
    [note] = await write_notes(shards, [SLOT])

    async def swallow_the_failure() -> None:
        async with shards.write(SLOT) as session:
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
            with pytest.raises(IntegrityError):
                await session.execute(insert(NOTES), note_values(note))
            with pytest.raises(RuntimeError, match="start a new one"):
                await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))

    with pytest.raises(RuntimeError, match="cannot be committed"):
        await swallow_the_failure()

    assert await count_notes(shards) == 1


async def test_an_empty_transaction_takes_no_connection(domain: Domain) -> None:
    await domain.cluster_of(FIRST).stop()
    try:
        async with domain.shards.write(SLOT):
            pass
    finally:
        await domain.cluster_of(FIRST).start()


async def test_the_rows_of_a_result_outlive_the_session(shards: Shards) -> None:
    await write_notes(shards, [SLOT, SLOT])

    async with shards.read(SLOT) as session:
        results = [await session.execute(select(NOTES.c.text)) for _ in range(3)]

    assert [len(result.all()) for result in results] == [2, 2, 2]


async def test_dead_connections_are_replaced_without_the_reader_noticing(domain: Domain) -> None:
    await write_notes(domain.shards, [SLOT])
    await asyncio.gather(*(count_notes(domain.shards) for _ in range(4)))  # several pooled ones

    await backends_killed(domain, SLOT)

    counts = await asyncio.gather(*(count_notes(domain.shards) for _ in range(8)))
    assert counts == [1] * 8


async def test_dead_connections_are_replaced_without_the_writer_noticing(domain: Domain) -> None:
    await write_notes(domain.shards, [SLOT] * 3)

    await backends_killed(domain, SLOT)
    await write_notes(domain.shards, [SLOT])

    assert await count_notes(domain.shards) == 4


async def test_a_transaction_that_loses_its_connection_fails_as_a_whole(domain: Domain) -> None:
    async def write_twice() -> None:
        async with domain.shards.write(SLOT) as session:
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
            await backends_killed(domain, SLOT)
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))

    with pytest.raises(ShardUnavailableError):
        await write_twice()

    assert await count_notes(domain.shards) == 0


async def test_a_commit_that_loses_its_connection_is_reported(domain: Domain) -> None:
    async def write_once() -> None:
        async with domain.shards.write(SLOT) as session:
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))
            await backends_killed(domain, SLOT)

    with pytest.raises(ShardUnavailableError):
        await write_once()

    assert await count_notes(domain.shards) == 0


async def test_a_stopped_shard_is_unavailable_and_comes_back(domain: Domain) -> None:
    shards = domain.shards
    await write_notes(shards, [SLOT, 200])
    await domain.cluster_of(FIRST).stop()
    try:
        with pytest.raises(ShardUnavailableError) as reading:
            await count_notes(shards)
        with pytest.raises(ShardUnavailableError) as writing:
            await write_notes(shards, [SLOT])
        assert await count_notes(shards, Slot(200)) == 1
    finally:
        await domain.cluster_of(FIRST).start()

    for failure in (reading.value, writing.value):
        assert failure.extensions == {"code": "SHARD_UNAVAILABLE", "retryable": True}
        assert failure.shard == FIRST
        assert "/" not in failure.message
        assert "notes" not in failure.message
    assert await count_notes(shards) == 1


async def test_a_shard_that_was_down_from_the_start_is_unavailable(topology: Topology) -> None:
    lost = "postgresql://postgres@/nowhere?host=/nonexistent"
    configs = [type(shard)(id=shard.id, primary=lost + shard.id) for shard in topology.shards]
    async with Shards(Topology.initial(configs), SETTINGS) as shards:
        with pytest.raises(ShardUnavailableError):
            await count_notes(shards)


async def test_a_slow_statement_is_a_timeout_and_frees_its_connection(topology: Topology) -> None:
    settings = ShardSettings(domain="notes", statement_timeout=0.05, pool_size=1, max_overflow=0)
    async with Shards(topology, settings) as shards:
        for _ in range(3):
            with pytest.raises(ShardTimeoutError) as raised:
                async with shards.read(SLOT) as session:
                    await session.execute(text("SELECT pg_sleep(60)"))
            assert raised.value.code is ErrorCode.TIMEOUT
        async with shards.read(SLOT) as session:
            assert (await session.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_silent_server_is_a_timeout_and_costs_only_its_connection(
    topology: Topology,
) -> None:
    settings = ShardSettings(
        domain="notes", statement_timeout=0.1, answer_grace=0.1, pool_size=1, max_overflow=0
    )
    async with Shards(topology, settings) as shards:
        for open_session in (shards.read, shards.write):
            async with open_session(SLOT) as session:
                pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(ShardTimeoutError):
                    async with open_session(SLOT) as session:
                        await session.execute(text("SELECT 1"))
                async with open_session(SLOT) as session:
                    other = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            finally:
                os.kill(pid, signal.SIGCONT)
            assert other != pid


async def test_a_full_pool_is_an_unavailable_shard(topology: Topology) -> None:
    settings = ShardSettings(domain="notes", pool_size=1, max_overflow=0, pool_timeout=0.05)
    async with Shards(topology, settings) as shards, shards.write(SLOT) as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(ShardUnavailableError):
            async with shards.read(SLOT) as reader:
                await reader.execute(text("SELECT 1"))


async def test_a_missing_database_is_no_outage_but_a_mistake(topology: Topology) -> None:
    configs = [
        type(shard)(id=shard.id, primary=shard.primary.replace("scratch_", "missing_"))
        for shard in topology.shards
    ]
    async with Shards(Topology.initial(configs), SETTINGS) as shards:
        with pytest.raises(Exception, match="does not exist") as raised:
            await count_notes(shards)
    assert not isinstance(raised.value, ShardUnavailableError)


async def test_a_changed_table_does_not_break_prepared_statements(domain: Domain) -> None:
    shards = domain.shards
    await write_notes(shards, [SLOT])
    statement = text("SELECT * FROM notes")
    async with shards.read(SLOT) as session:
        await session.execute(statement)

    async with shards.write(SLOT) as session:
        await session.execute(text("ALTER TABLE notes ADD COLUMN colour text"))

    async with shards.read(SLOT) as session:
        columns = list((await session.execute(statement)).keys())
    assert columns == ["slot", "id", "text", "colour"]


async def test_statements_are_counted_by_shard(shards: Shards) -> None:
    async def read_both() -> None:
        await count_notes(shards, Slot(0))
        await count_notes(shards, Slot(255))

    with count_statements() as counts:
        await write_notes(shards, [SLOT])  # BEGIN and COMMIT do not count
        await asyncio.gather(read_both(), read_both())

    await count_notes(shards)
    assert counts.of("notes") == {FIRST: 3, SECOND: 2}
    assert counts.of("another") == {}
    assert counts.total == 5


async def test_statements_and_failures_are_measured_by_shard(domain: Domain) -> None:
    def sample(name: str, **labels: str) -> float:
        labels |= {"domain": "notes", "shard": FIRST, "role": "primary"}
        return REGISTRY.get_sample_value(f"socialnet_shard_{name}", labels) or 0

    statements = sample("statement_seconds_count")
    failures = sample("failures_total", code="SHARD_UNAVAILABLE")
    await count_notes(domain.shards)
    await domain.cluster_of(FIRST).stop()
    try:
        with pytest.raises(ShardUnavailableError):
            await count_notes(domain.shards)
    finally:
        await domain.cluster_of(FIRST).start()

    assert sample("statement_seconds_count") >= statements + 2
    assert sample("failures_total", code="SHARD_UNAVAILABLE") == failures + 1


async def test_a_read_session_refuses_to_write(shards: Shards) -> None:
    async with shards.read(SLOT) as session:
        with pytest.raises(TypeError, match="does not write"):
            await session.execute(insert(NOTES), note_values(EntityId.new(SLOT)))

    assert await count_notes(shards) == 0


async def test_the_server_knows_the_limits_and_who_is_asking(shards: Shards) -> None:
    async with shards.read(SLOT) as session:
        settings = await session.execute(
            text(
                "SELECT current_setting('application_name'), current_setting('statement_timeout'),"
                " current_setting('transaction_timeout'), current_setting('timezone')"
            )
        )
    assert tuple(settings.one()) == ("tests", "2s", "30s", "UTC")
