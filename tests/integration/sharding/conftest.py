"""A domain on two real shards, with one table, for the tests of `shared.sharding`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import Column, Text, insert
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.by_ids import id_parameters, select_by_ids
from shared.db.tables import domain_metadata, sharded_table
from shared.sharding import (
    EntityId,
    ReadSession,
    ShardConfig,
    ShardId,
    Shards,
    ShardSettings,
    Slot,
    Topology,
)
from shared.sharding.identities import identities_table
from socialnet.embedded.postgres import PostgresCluster

METADATA = domain_metadata()
NOTES = sharded_table("notes", METADATA, Column("text", Text, nullable=False))
identities_table(METADATA)

FIRST, SECOND = ShardId("shard-0"), ShardId("shard-1")

_NOTES_BY_IDS = select_by_ids(NOTES, NOTES.c.slot, NOTES.c.id, NOTES.c.text)
_INSERT = insert(NOTES)

SETTINGS = ShardSettings(
    domain="notes",
    application_name="tests",
    pool_size=4,
    statement_timeout=2.0,
    connect_timeout=1.0,
)


@dataclass(frozen=True, slots=True)
class Domain:
    """Two shards; slots 0-127 are on the first, 128-255 on the second."""

    clusters: tuple[PostgresCluster, ...]
    shards: Shards

    def cluster_of(self, shard: ShardId) -> PostgresCluster:
        return self.clusters[self.shards.topology.shard_ids.index(shard)]


@pytest.fixture
def topology(scratch_urls: tuple[str, ...]) -> Topology:
    first, second = scratch_urls
    return Topology.initial(
        [ShardConfig(id=FIRST, primary=first), ShardConfig(id=SECOND, primary=second)]
    )


@pytest.fixture
async def domain(
    clusters: tuple[PostgresCluster, ...], topology: Topology
) -> AsyncIterator[Domain]:
    await asyncio.gather(*(create_tables(shard.primary) for shard in topology.shards))
    async with Shards(topology, SETTINGS) as shards:
        yield Domain(clusters, shards)


@pytest.fixture
def shards(domain: Domain) -> Shards:
    return domain.shards


async def create_tables(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


async def load_many_notes(session: ReadSession, ids: Sequence[EntityId]) -> dict[EntityId, str]:
    """What a repository does for a loader."""
    rows = await session.execute(_NOTES_BY_IDS, id_parameters(ids))
    return {EntityId(row.slot, row.id): row.text for row in rows}


async def write_notes(shards: Shards, slots: Sequence[int]) -> list[EntityId]:
    """One note in each of these slots; its text is its ID."""
    ids = [EntityId.new(Slot(slot)) for slot in slots]
    for note in ids:
        async with shards.write(note.slot) as session:
            await session.execute(_INSERT, note_values(note))
    return ids


def note_values(note: EntityId) -> dict[str, object]:
    return {"slot": note.slot, "id": note.uuid, "text": str(note)}
