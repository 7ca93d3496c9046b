"""The migrations runner on two real shards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.db import migrations
from shared.db.connect import connect
from shared.db.locks import SCHEMA_LOCK
from shared.db.migrations import MigrationError, SchemaBehindError, SchemaState, ShardRevision
from shared.sharding import ShardConfig, ShardId
from socialnet.embedded.postgres import PostgresCluster

FIRST, SECOND = ShardId("shard-0"), ShardId("shard-1")

HEADER = '''"""{revision}"""
import sqlalchemy as sa
from alembic import op
revision = "{revision}"
down_revision = {parent!r}
'''

CREATE = """
def upgrade():
    number = sa.Column("id", sa.Integer, primary_key=True)
    op.create_table("notes", number, sa.Column("text", sa.Text))
    op.execute("INSERT INTO notes VALUES (1, '100% of it'), (2, 'a:b')")

def downgrade():
    op.drop_table("notes")
"""

INDEX = """
def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("notes_text", "notes", ["text"], postgresql_concurrently=True)

def downgrade():
    op.drop_index("notes_text")
"""

BROKEN = """
def upgrade():
    op.add_column("notes", sa.Column("colour", sa.Text))
    op.execute("UPDATE nowhere SET colour = 'red'")

def downgrade():
    op.drop_column("notes", "colour")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    write_revision(tmp_path, "0001", None, CREATE)
    write_revision(tmp_path, "0002", "0001", INDEX)
    return tmp_path


@pytest.fixture
def shards(scratch_urls: tuple[str, ...]) -> list[ShardConfig]:
    first, second = scratch_urls
    return [ShardConfig(id=FIRST, primary=first), ShardConfig(id=SECOND, primary=second)]


def write_revision(folder: Path, revision: str, parent: str | None, body: str) -> None:
    text = HEADER.format(revision=revision, parent=parent) + body
    (folder / "versions" / f"{revision}.py").write_text(text)


async def fetch(shard: ShardConfig, query: str) -> list[Any]:
    connection = await connect(shard.primary, application_name="tests")
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def indexes(shard: ShardConfig) -> list[Any]:
    rows = await fetch(shard, "SELECT indexname FROM pg_indexes WHERE tablename = 'notes'")
    return sorted(name for (name,) in rows)


def at(shards: Sequence[ShardConfig], revision: str | None, *pending: str) -> list[ShardRevision]:
    state = SchemaState.BEHIND if pending else SchemaState.CURRENT
    return [
        ShardRevision(shard=shard.id, state=state, revision=revision, pending=pending)
        for shard in shards
    ]


async def test_up_runs_every_revision_on_every_shard(
    shards: list[ShardConfig], folder: Path
) -> None:
    done: list[tuple[ShardId, str]] = []

    before = await migrations.status("notes", shards, folder=folder)
    result = await migrations.up(
        "notes", shards, folder=folder, progress=lambda *step: done.append(step)
    )

    assert list(before) == at(shards, None, "0001", "0002")
    assert list(result) == at(shards, "0002")
    assert sorted(done) == [(FIRST, "0001"), (FIRST, "0002"), (SECOND, "0001"), (SECOND, "0002")]
    for shard in shards:
        assert await fetch(shard, "SELECT * FROM notes ORDER BY id") == [
            (1, "100% of it"),
            (2, "a:b"),
        ]
        assert await indexes(shard) == ["notes_pkey", "notes_text"]
        assert await fetch(shard, "SELECT * FROM alembic_version") == [("0002",)]


async def test_up_again_does_nothing(shards: list[ShardConfig], folder: Path) -> None:
    await migrations.up("notes", shards, folder=folder)
    done: list[str] = []

    result = await migrations.up(
        "notes", shards, folder=folder, progress=lambda _, revision: done.append(revision)
    )

    assert list(result) == at(shards, "0002")
    assert done == []


async def test_up_and_down_go_to_a_revision_or_by_steps(
    shards: list[ShardConfig], folder: Path
) -> None:
    async def run(direction: str, to: str) -> list[ShardRevision]:
        return list(await getattr(migrations, direction)("notes", shards, to=to, folder=folder))

    assert await run("up", "+1") == at(shards, "0001", "0002")
    assert await run("up", "0002") == at(shards, "0002")
    assert await run("down", "-1") == at(shards, "0001", "0002")
    assert await run("down", "base") == at(shards, None, "0001", "0002")
    assert await run("up", "head") == at(shards, "0002")
    assert await run("up", "0001") == at(shards, "0002")  # up never goes down
    assert await run("down", "0001") == at(shards, "0001", "0002")
    with pytest.raises(MigrationError, match="there is no revision 0009"):
        await run("up", "0009")
    with pytest.raises(MigrationError, match="there is no revision -2"):
        await run("down", "-2")


async def test_two_runners_at_once_do_not_collide(shards: list[ShardConfig], folder: Path) -> None:
    done: list[tuple[ShardId, str]] = []

    results = await asyncio.gather(
        *(
            migrations.up("notes", shards, folder=folder, progress=lambda *s: done.append(s))
            for _ in range(3)
        )
    )

    assert [list(result) for result in results] == [at(shards, "0002")] * 3
    assert len(done) == 4


async def test_a_runner_waits_for_who_holds_the_schema_lock(
    shards: list[ShardConfig], folder: Path
) -> None:
    holder = await connect(shards[0].primary, application_name="tests")
    await holder.execute("SELECT pg_advisory_lock($1)", SCHEMA_LOCK)
    on_second = asyncio.Event()
    running = asyncio.create_task(
        migrations.up(
            "notes",
            shards,
            folder=folder,
            progress=lambda _, revision: on_second.set() if revision == "0002" else None,
        )
    )
    try:
        async with asyncio.timeout(30):
            await on_second.wait()
        assert (await migrations.status("notes", shards, folder=folder))[0].revision is None
    finally:
        await holder.close()

    assert list(await running) == at(shards, "0002")


async def test_a_broken_revision_leaves_every_shard_before_it(
    shards: list[ShardConfig], folder: Path
) -> None:
    write_revision(folder, "0003", "0002", BROKEN)

    with pytest.raises(MigrationError) as raised:
        await migrations.up("notes", shards, folder=folder)

    for shard, line in zip((FIRST, SECOND), str(raised.value).splitlines(), strict=True):
        assert line.startswith(f"database notes on {shard}: revision 0003 failed: relation")
    assert list(await migrations.status("notes", shards, folder=folder)) == at(
        shards, "0002", "0003"
    )
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'notes'"
    assert len(await fetch(shards[0], columns)) == 2


async def test_one_shard_down_does_not_stop_the_others(
    clusters: tuple[PostgresCluster, ...], shards: list[ShardConfig], folder: Path
) -> None:
    await clusters[0].stop()
    try:
        with pytest.raises(MigrationError, match="on shard-0 cannot be reached: nothing answers"):
            await migrations.up("notes", shards, folder=folder)
        during = await migrations.status("notes", shards, folder=folder)
        unreachable = await migrations.assert_current("notes", shards, folder=folder)
    finally:
        await clusters[0].start()

    assert during[0] == ShardRevision(shard=FIRST, state=SchemaState.UNREACHABLE)
    assert during[1].revision == "0002"
    assert unreachable == (FIRST,)
    assert list(await migrations.up("notes", shards, folder=folder)) == at(shards, "0002")


async def test_a_database_behind_is_named_with_what_to_do(
    shards: list[ShardConfig], folder: Path
) -> None:
    with pytest.raises(SchemaBehindError, match="notes on shard-0 is empty, code needs 0002; data"):
        await migrations.assert_current("notes", shards, folder=folder)

    await migrations.up("notes", shards[:1], folder=folder)
    await migrations.up("notes", shards[1:], to="0001", folder=folder)

    with pytest.raises(SchemaBehindError) as raised:
        await migrations.assert_current("notes", shards, folder=folder)
    assert str(raised.value) == (
        "database notes on shard-1 is at 0001, code needs 0002: run `socialnet migrate up`"
    )


async def test_a_database_ahead_is_served_but_not_migrated(
    shards: list[ShardConfig], folder: Path
) -> None:
    await migrations.up("notes", shards, folder=folder)
    (folder / "versions" / "0002.py").unlink()

    assert await migrations.assert_current("notes", shards, folder=folder) == ()
    [first, _] = await migrations.status("notes", shards, folder=folder)
    assert first == ShardRevision(shard=FIRST, state=SchemaState.AHEAD, revision="0002")
    with pytest.raises(MigrationError, match="is at 0002, which this code does not know"):
        await migrations.down("notes", shards, folder=folder)


async def test_a_new_revision_follows_the_head_and_must_be_filled_in(
    shards: list[ShardConfig], folder: Path
) -> None:
    path = migrations.new("notes", "Add a colour!", folder=folder)

    assert path.name == "0003_add_a_colour.py"
    with pytest.raises(MigrationError, match=r"upgrade\(\) of 0003 cannot be rendered"):
        await migrations.up("notes", shards, folder=folder)
    assert await fetch(shards[0], "SELECT * FROM pg_tables WHERE tablename = 'notes'") == []

    filled = path.read_text().replace("raise NotImplementedError", 'op.execute("SELECT 1")')
    path.write_text(filled)
    assert list(await migrations.up("notes", shards, folder=folder)) == at(shards, "0003")


async def test_a_missing_database_is_told_apart_from_an_outage(
    shards: list[ShardConfig], folder: Path
) -> None:
    missing = [
        ShardConfig(id=shard.id, primary=shard.primary.replace("scratch_", "missing_"))
        for shard in shards
    ]
    with pytest.raises(MigrationError, match=r"database notes on shard-\d: .* does not exist"):
        await migrations.status("notes", missing, folder=folder)
