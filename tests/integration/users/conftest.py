"""The users subgraph, running on two empty shards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from shared.db.connect import connect
from shared.settings import Environment
from shared.sharding import ShardConfig
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.people import Meet, meet_people
from tests.support.subgraphs import (
    PATIENT,
    Answer,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    running,
    shard_entries,
)

Register: TypeAlias = Callable[..., Awaitable[Answer]]

REGISTER = """
mutation ($input: RegisterInput!) {
  register(input: $input) {
    accessToken refreshToken expiresIn
    user { id handle displayName bio email createdAt status }
  }
}
"""


async def rows_of(shards: tuple[ShardConfig, ...], table: str) -> list[Any]:
    """All rows of a table, over all shards."""
    found: list[Any] = []
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        found += await connection.fetch(f"TABLE {table}")
        await connection.close()
    return found


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
async def users(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens
) -> AsyncIterator[SubgraphClient]:
    """The running subgraph."""
    settings = UsersSettings.model_validate(
        {
            "shards": shard_entries(users_shards),
            "environment": Environment.DEVELOPMENT,
            **PATIENT,
        }
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())
    async with running(app) as client:
        yield client


@pytest.fixture
def register(users: SubgraphClient) -> Register:
    """Registers `name`; keyword arguments override parts of the input."""

    async def send(name: str, **overrides: Any) -> Answer:
        entered = {
            "email": f"{name}@example.com",
            "password": "correct horse 1",
            "handle": name,
            "displayName": name.title(),
        }
        return await users(REGISTER, {"input": entered | overrides})

    return send


@pytest.fixture
def meet(users: SubgraphClient, register: Register, tokens: Tokens) -> Meet:
    """Registers people: `meet(3)`, in turn on the first and on the second shard."""

    return lambda count: meet_people(users, register, tokens, count)
