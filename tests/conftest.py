"""Fixtures that several kinds of tests share: PostgreSQL clusters, databases, Redis, Kafka.

Everything here is made once per test process (each xdist worker has its own clusters), lazily: a
run of unit tests starts nothing. A test gets databases of its own, copied from a template that the
real migrations have made (about 30 ms), so tests may commit, stop shards and leave things behind.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import hypothesis
import pytest
from redis.asyncio import Redis

from shared.db import migrations
from shared.sharding import ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from tests.support.kafka import KafkaBroker, running_kafka
from tests.support.postgres import (
    as_shards,
    create_on_all,
    drop_on_all,
    reachable_folder,
    running_clusters,
)
from tests.support.redis import running_redis

# In the background SIGINT is ignored, and so it would be by all that tests start and stop by it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is. A change is judged by the same examples as
# the one before it; new ones are looked for with `make explore`, and kept as tests with a name.
hypothesis.settings.register_profile("same-examples", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same-examples"))

Clusters: TypeAlias = Sequence[PostgresCluster]
MakeShards: TypeAlias = Callable[[str], Awaitable[tuple[ShardConfig, ...]]]

_numbers = itertools.count(1)


@pytest.fixture
def public_tmp_path() -> Iterator[Path]:
    """A temporary folder like `tmp_path` that the user who runs postgres can pass through."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
async def clusters() -> AsyncIterator[Clusters]:
    """Two running clusters, one per physical shard; a test that stops one starts it again."""
    with reachable_folder() as folder:
        async with running_clusters(folder) as running:
            yield running


@pytest.fixture
async def scratch_urls(clusters: Clusters) -> AsyncIterator[tuple[str, ...]]:
    """URLs of an empty database of one's own on each cluster; dropped after the test."""
    name = f"scratch_{next(_numbers)}"
    yield await create_on_all(clusters, name)
    await drop_on_all(clusters, name)


@pytest.fixture(scope="session")
async def migrated_template(clusters: Clusters) -> Callable[[str], Awaitable[str]]:
    """Names the database from which the databases of a domain are copied; made at first use."""
    made: set[str] = set()

    async def template(domain: str) -> str:
        name = f"{domain}_template"
        if domain not in made:
            shards = as_shards(await create_on_all(clusters, name))
            await migrations.up(domain, shards)
            made.add(domain)
        return name

    return template


@pytest.fixture
async def make_shards(
    clusters: Clusters, migrated_template: Callable[[str], Awaitable[str]]
) -> AsyncIterator[MakeShards]:
    """Makes empty, migrated databases of a domain: `shards = await make_shards("users")`."""
    names: list[str] = []

    async def make(domain: str) -> tuple[ShardConfig, ...]:
        template = await migrated_template(domain)
        names.append(f"{domain}_{next(_numbers)}")
        return as_shards(await create_on_all(clusters, names[-1], template=template))

    yield make
    for name in names:
        await drop_on_all(clusters, name)


@pytest.fixture
async def users_shards(make_shards: MakeShards) -> tuple[ShardConfig, ...]:
    """The users domain, empty, on two shards."""
    return await make_shards("users")


@pytest.fixture
async def posts_shards(make_shards: MakeShards) -> tuple[ShardConfig, ...]:
    """The posts domain, empty, on two shards."""
    return await make_shards("posts")


@pytest.fixture(scope="session")
async def redis_server() -> AsyncIterator[str]:
    """URL of a Redis server of this test process; skips when there is no `redis-server`."""
    async with running_redis() as url:
        yield url


@pytest.fixture
async def redis_url(redis_server: str) -> AsyncIterator[str]:
    """URL of a real Redis, empty; tests that use it carry the marker `redis`."""
    yield redis_server
    async with Redis.from_url(redis_server) as client:
        await client.flushall()


@pytest.fixture(scope="session")
async def kafka_server() -> AsyncIterator[KafkaBroker]:
    """The Kafka broker of this test process; skips when Kafka or Java is not installed."""
    async with running_kafka() as broker:
        yield broker


@pytest.fixture
async def kafka(kafka_server: KafkaBroker) -> KafkaBroker:
    """A running broker; tests that use it carry the marker `kafka`, and name topics themselves."""
    await kafka_server.start()  # a test that stopped it has failed since
    return kafka_server
