"""The migrations of each domain make the tables that its code declares, and can be taken back."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db import migrations
from shared.db.connect import connect
from tests.conftest import MakeShards
from tests.support.postgres import as_shards

DOMAINS = ["users", "posts"]


@pytest.mark.parametrize("domain", DOMAINS)
async def test_the_database_is_as_the_code_declares_it(
    make_shards: MakeShards, domain: str
) -> None:
    metadata = importlib.import_module(f"subgraphs.{domain}.tables").metadata
    shard, _ = await make_shards(domain)

    def differences(connection: Connection) -> list[Any]:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _: (kind, name) != ("table", "alembic_version"),
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(shard.primary)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


@pytest.mark.parametrize("domain", DOMAINS)
async def test_every_sharded_table_begins_its_key_with_the_slot(
    make_shards: MakeShards, domain: str
) -> None:
    shard, _ = await make_shards(domain)
    connection = await connect(shard.primary, application_name="test")
    keys = await connection.fetch(
        """
        SELECT conrelid::regclass::text AS "table", attname
          FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
         WHERE contype = 'p' AND connamespace = 'public'::regnamespace
        """
    )
    extensions = await connection.fetch("SELECT extname FROM pg_extension")
    await connection.close()

    tables = importlib.import_module(f"subgraphs.{domain}.tables").metadata.tables
    first = {row["table"]: row["attname"] for row in keys if row["table"] != "alembic_version"}
    assert first == dict.fromkeys(tables, "slot") | {"ownership": "is_only"}
    assert [row["extname"] for row in extensions] == ["plpgsql"]


@pytest.mark.parametrize("domain", DOMAINS)
async def test_migrations_go_down_to_nothing_and_up_again(
    scratch_urls: tuple[str, ...], domain: str
) -> None:
    shards = as_shards(scratch_urls)

    await migrations.up(domain, shards)
    await migrations.down(domain, shards, to="base")
    connection = await connect(shards[0].primary, application_name="test")
    left = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    await connection.close()
    await migrations.up(domain, shards)

    assert {row["relname"] for row in left} == {"alembic_version", "alembic_version_pkc"}
    await migrations.assert_current(domain, shards)
