"""The DataLoader by ID prefix: statements per shard, order, misses, a shard that is down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from shared.sharding import (
    EntityId,
    ReadSession,
    ShardedLoader,
    Shards,
    ShardUnavailableError,
    Slot,
    Topology,
    count_statements,
)
from tests.integration.sharding.conftest import (
    FIRST,
    SECOND,
    SETTINGS,
    Domain,
    load_many_notes,
    write_notes,
)


async def test_a_hundred_ids_on_two_shards_cost_one_statement_each_and_keep_their_order(
    shards: Shards,
) -> None:
    notes = await write_notes(shards, [number * 97 % 256 for number in range(100)])
    loader = ShardedLoader(shards, load_many_notes)

    with count_statements() as counts:
        texts = await loader.load_many(reversed(notes))

    assert texts == [str(note) for note in reversed(notes)]
    assert counts.of("notes") == {FIRST: 1, SECOND: 1}


async def test_keys_asked_for_in_different_places_share_the_statement(shards: Shards) -> None:
    notes = await write_notes(shards, [1, 2, 3])
    loader = ShardedLoader(shards, load_many_notes)

    async def resolver(note: EntityId) -> str | None:
        return await loader.load(note)

    with count_statements() as counts:
        texts = await asyncio.gather(*map(resolver, notes))

    assert texts == [str(note) for note in notes]
    assert counts.total == 1


async def test_duplicates_are_read_once_and_misses_are_none(shards: Shards) -> None:
    [note] = await write_notes(shards, [5])
    elsewhere = EntityId(Slot(6), note.uuid)  # the right UUID in the wrong slot
    unknown = EntityId.new(Slot(5))
    asked: list[Sequence[EntityId]] = []

    async def load_many(session: ReadSession, ids: Sequence[EntityId]) -> Mapping[EntityId, str]:
        asked.append(ids)
        return await load_many_notes(session, ids)

    loader = ShardedLoader(shards, load_many)
    texts = await loader.load_many([note, unknown, note, elsewhere, note])

    assert texts == [str(note), None, str(note), None, str(note)]
    assert asked == [[note, unknown, elsewhere]]


async def test_a_key_is_read_once_per_loader(shards: Shards) -> None:
    [note] = await write_notes(shards, [5])
    loader = ShardedLoader(shards, load_many_notes)
    await loader.load(note)

    with count_statements() as counts:
        assert await loader.load(note) == str(note)

    assert counts.total == 0


async def test_long_lists_are_split(domain: Domain, topology: Topology) -> None:
    notes = await write_notes(domain.shards, [1] * 7 + [200])
    async with Shards(topology, replace(SETTINGS, batch_size=3)) as shards:
        with count_statements() as counts:
            texts = await ShardedLoader(shards, load_many_notes).load_many(notes)

    assert texts == [str(note) for note in notes]
    assert counts.of("notes") == {FIRST: 3, SECOND: 1}


async def test_no_keys_cost_no_statement(shards: Shards) -> None:
    with count_statements() as counts:
        assert await ShardedLoader(shards, load_many_notes).load_many([]) == []

    assert counts.total == 0


async def test_a_stopped_shard_fails_only_its_own_keys_and_recovers(domain: Domain) -> None:
    shards = domain.shards
    on_first, on_second = await write_notes(shards, [1, 200])
    keys = [on_first, on_second, EntityId.new(Slot(2)), EntityId.new(Slot(201))]

    async def load_all() -> list[str | BaseException | None]:
        loader = ShardedLoader(shards, load_many_notes)
        return await asyncio.gather(*map(loader.load, keys), return_exceptions=True)

    assert await load_all() == [str(on_first), str(on_second), None, None]

    await domain.cluster_of(FIRST).stop("immediate")
    try:
        during = await load_all()
    finally:
        await domain.cluster_of(FIRST).start()

    assert during[1::2] == [str(on_second), None]
    assert [type(error) for error in during[0::2]] == [ShardUnavailableError] * 2
    assert await load_all() == [str(on_first), str(on_second), None, None]


async def test_a_bug_in_the_batch_function_reaches_the_caller(shards: Shards) -> None:
    async def load_many(session: ReadSession, ids: Sequence[EntityId]) -> Mapping[EntityId, str]:
        raise KeyError(session.shard)

    loader = ShardedLoader(shards, load_many)
    with pytest.raises(KeyError, match=FIRST):
        await loader.load(EntityId.new(Slot(0)))
