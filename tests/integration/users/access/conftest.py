"""The users subgraph behind a real server, so that subscriptions are ways too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.settings import Environment
from shared.sharding import ShardConfig
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.support.subgraphs import (
    SubgraphClient,
    Tokens,
    cheap_passwords,
    served,
    shard_entries,
)


@pytest.fixture
async def address(users_shards: tuple[ShardConfig, ...], tokens: Tokens) -> AsyncIterator[str]:
    """`host:port` of the running subgraph; who is online stays so for the test."""
    settings = UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.DEVELOPMENT,
        presence_seconds=3600,
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())
    async with served(app) as where:
        yield where


@pytest.fixture
async def users(address: str) -> AsyncIterator[SubgraphClient]:
    client = SubgraphClient(f"http://{address}")
    yield client
    await client.close()
