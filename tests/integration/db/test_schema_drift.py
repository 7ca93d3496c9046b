"""The migrations of each domain make exactly the tables that its `tables.py` declares."""

from __future__ import annotations

import importlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db import migrations
from shared.sharding import ShardConfig, ShardId


@pytest.mark.parametrize("domain", ["users", "posts"])
async def test_migrations_make_the_declared_tables(
    domain: str, scratch_urls: tuple[str, ...]
) -> None:
    metadata: MetaData = importlib.import_module(f"subgraphs.{domain}.tables").metadata
    [shard] = [ShardConfig(id=ShardId("shard-0"), primary=scratch_urls[0])]

    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, metadata)

    await migrations.up(domain, [shard])
    engine = create_async_engine(shard.primary)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []
    assert await migrations.assert_current(domain, [shard]) == ()


@pytest.mark.parametrize("domain", ["users", "posts"])
async def test_migrations_can_be_taken_back(domain: str, scratch_urls: tuple[str, ...]) -> None:
    [shard] = [ShardConfig(id=ShardId("shard-0"), primary=scratch_urls[0])]

    await migrations.up(domain, [shard])
    await migrations.down(domain, [shard], to="base")
    again = await migrations.up(domain, [shard])

    assert again[0].pending == ()
