"""Real PostgreSQL for tests: two running clusters, and databases on both of them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from shared.sharding import ShardConfig, ShardId
from socialnet.embedded.account import SYSTEM_FOLDER, Account, make_public
from socialnet.embedded.postgres import PostgresCluster

SHARDS = 2


@contextlib.contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder in which postgres may work, whoever we are; removed afterwards.

    pytest's own temporary folders are private to the user, and as root postgres is another user.
    """
    account = Account.current()
    folder = Path(tempfile.mkdtemp(prefix="socialnet-test-"))
    folder.chmod(0o711)
    if not account.can_enter(folder):
        folder.rmdir()
        make_public(SYSTEM_FOLDER)
        folder = Path(tempfile.mkdtemp(prefix="test-", dir=SYSTEM_FOLDER))
        folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def running_clusters(
    folder: Path, count: int = SHARDS
) -> AsyncIterator[tuple[PostgresCluster, ...]]:
    """Create and start `count` clusters without durability; stop them at the end."""
    clusters = tuple(PostgresCluster(folder / f"shard-{i}", durable=False) for i in range(count))
    try:
        await asyncio.gather(*(cluster.create() for cluster in clusters))
        await asyncio.gather(*(cluster.start() for cluster in clusters))
        yield clusters
    finally:
        await asyncio.gather(*(cluster.stop("immediate") for cluster in clusters))


async def create_on_all(
    clusters: Sequence[PostgresCluster], name: str, *, template: str | None = None
) -> tuple[str, ...]:
    """Create a database on every cluster and return its URLs, in the clusters' order."""
    for cluster in clusters:
        if not cluster.is_running:  # a test that stopped it has failed since
            await cluster.start()
    await asyncio.gather(*(c.create_database(name, template=template) for c in clusters))
    return tuple(cluster.url(name) for cluster in clusters)


def as_shards(urls: Sequence[str]) -> tuple[ShardConfig, ...]:
    """The databases at these URLs as the shards `shard-0`, `shard-1`, ... of a domain."""
    return tuple(
        ShardConfig(id=ShardId(f"shard-{number}"), primary=url) for number, url in enumerate(urls)
    )


async def drop_on_all(clusters: Sequence[PostgresCluster], name: str) -> None:
    """Drop a database on every cluster, those that a test left stopped excepted."""
    await asyncio.gather(*(c.drop_database(name) for c in clusters if c.is_running))
