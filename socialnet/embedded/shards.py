"""The physical shards of an embedded system: clusters that run, databases that are migrated."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from shared.db import migrations
from shared.db.ownership import claim_databases
from shared.sharding import ShardConfig, ShardId, Topology
from socialnet.domains import Domain
from socialnet.embedded.postgres import PostgresCluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from socialnet.embedded.folder import DataFolder
    from socialnet.progress import Progress


@contextlib.asynccontextmanager
async def running_clusters(
    folder: DataFolder, progress: Progress, *, durable: bool = True
) -> AsyncIterator[tuple[PostgresCluster, ...]]:
    """Create (at first) and start one cluster per shard; stop them when the block ends."""
    numbers = range(folder.version.shards)
    clusters = tuple(PostgresCluster(folder.shard(number), durable=durable) for number in numbers)
    if missing := [cluster for cluster in clusters if not cluster.is_created]:
        with progress.step(f"Creating {_count(len(missing), 'PostgreSQL cluster')}"):
            await asyncio.gather(*(cluster.create() for cluster in missing))
    try:
        with progress.step(f"Starting {_count(len(clusters), 'PostgreSQL cluster')}"):
            await asyncio.gather(*(cluster.start() for cluster in clusters))
        yield clusters
    finally:
        await asyncio.gather(*(cluster.stop() for cluster in clusters))


async def prepare_databases(
    clusters: Sequence[PostgresCluster], slots: int, progress: Progress
) -> None:
    """Make the databases of all domains that are missing, run pending migrations, and check that
    they are those of these shards and slots.
    """
    with progress.step("Migrating databases"):
        await create_databases(clusters)
        for domain in Domain:
            shards = shard_configs(clusters, domain)
            await migrations.up(domain, shards)
            await claim_databases(domain, Topology.initial(shards, slots))


async def create_databases(clusters: Sequence[PostgresCluster]) -> None:
    """Make the databases of all domains that are missing, empty."""

    async def create_on(cluster: PostgresCluster) -> None:
        for domain in Domain:  # one after the other: both are copies of the same template
            await cluster.create_database(domain)

    await asyncio.gather(*map(create_on, clusters))


def shard_configs(clusters: Sequence[PostgresCluster], domain: Domain) -> tuple[ShardConfig, ...]:
    """The shards as a domain sees them: its database on every cluster."""
    return tuple(
        ShardConfig(id=ShardId(f"shard-{number}"), primary=cluster.url(domain))
        for number, cluster in enumerate(clusters)
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
