"""Demo data in real databases: complete, consistent, repeatable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.sharding import ShardConfig, Topology
from socialnet.demo.dataset import make_dataset
from socialnet.demo.load import load_dataset
from tests.support.follows import read_follows

_DATASET = make_dataset(datetime(2026, 1, 1, tzinfo=UTC), slots=256, users=40, posts=150)


async def _load(users: Sequence[ShardConfig], posts: Sequence[ShardConfig]) -> None:
    await load_dataset(
        _DATASET,
        users_topology=Topology.initial(users),
        posts_topology=Topology.initial(posts),
        password_hash="hash",
    )


async def _query(shards: Sequence[ShardConfig], statement: str) -> list[tuple[object, ...]]:
    """The rows of all shards."""
    rows: list[tuple[object, ...]] = []
    for shard in shards:
        engine = create_async_engine(
            shard.primary, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        async with engine.connect() as connection:
            result = await connection.execute(text(statement))
            rows += [tuple(row) for row in result] if result.returns_rows else []
        await engine.dispose()
    return rows


async def test_every_row_is_on_the_shard_of_its_slot(
    users_shards: tuple[ShardConfig, ...], posts_shards: tuple[ShardConfig, ...]
) -> None:
    await _load(users_shards, posts_shards)

    first, second = users_shards
    for select in ("SELECT slot FROM users", "SELECT slot FROM identities"):
        assert await _query([first], f"{select} WHERE slot >= 128") == []
        assert await _query([second], f"{select} WHERE slot < 128") == []
    assert len(await _query(users_shards, "SELECT id FROM users")) == 40
    assert len(await _query(users_shards, "SELECT 1 FROM identities")) == 80
    assert len(await _query(posts_shards, "SELECT id FROM posts")) == 150


async def test_counters_agree_with_the_posts(
    users_shards: tuple[ShardConfig, ...], posts_shards: tuple[ShardConfig, ...]
) -> None:
    await _load(users_shards, posts_shards)

    counters = await _query(posts_shards, "SELECT slot, id, post_count FROM author_counters")
    counted = await _query(
        posts_shards, "SELECT slot, author_id, count(*)::int FROM posts GROUP BY slot, author_id"
    )
    assert sorted(counters) == sorted(counted)


async def test_both_sides_of_all_follows_are_there_and_counted(
    users_shards: tuple[ShardConfig, ...], posts_shards: tuple[ShardConfig, ...]
) -> None:
    await _load(users_shards, posts_shards)

    assert len(await read_follows(users_shards)) == len(_DATASET.follows) > 0


async def test_loading_again_completes_what_is_missing_and_changes_nothing_else(
    users_shards: tuple[ShardConfig, ...], posts_shards: tuple[ShardConfig, ...]
) -> None:
    # given a load that was interrupted after the first domain, and a profile edited since
    await _load(users_shards, posts_shards)
    await _query(posts_shards[:1], "TRUNCATE posts, author_counters")
    await _query(users_shards, "UPDATE users SET bio = 'edited' WHERE handle = 'ada'")

    await _load(users_shards, posts_shards)

    assert len(await _query(users_shards, "SELECT id FROM users")) == 40
    assert len(await _query(posts_shards, "SELECT id FROM posts")) == 150
    total = await _query(posts_shards, "SELECT sum(post_count) FROM author_counters")
    assert sum(int(str(row[0])) for row in total) == 150
    assert await _query(users_shards, "SELECT bio FROM users WHERE handle = 'ada'") == [("edited",)]
