"""The posts subgraph, running on two empty shards with an in-process Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from shared.cache import InProcessRedis, RedisClient
from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig
from subgraphs.posts.app import create_app
from subgraphs.posts.settings import PostsSettings
from tests.support.subgraphs import PATIENT, SubgraphClient, Tokens, running, shard_entries

CreatePost: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]

CREATE = """
mutation ($input: CreatePostInput!) {
  createPost(input: $input) {
    id text visibility tags createdAt editedAt author { id } replyTo { id } quoteOf { id }
  }
}
"""


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
async def redis() -> AsyncIterator[RedisClient]:
    """An in-process Redis."""
    client = InProcessRedis().client()
    yield client
    await client.aclose()


@pytest.fixture
def settings(posts_shards: tuple[ShardConfig, ...]) -> PostsSettings:
    """Settings of the subgraph on its shards."""
    return PostsSettings.model_validate(
        {
            "shards": shard_entries(posts_shards),
            "environment": Environment.DEVELOPMENT,
            **PATIENT,
        }
    )


@pytest.fixture
async def posts(
    settings: PostsSettings, tokens: Tokens, redis: RedisClient
) -> AsyncIterator[SubgraphClient]:
    """The running subgraph."""
    app = create_app(settings, redis=redis, verifier=tokens.verifier())
    async with running(app) as client:
        yield client


@pytest.fixture
def create_post(posts: SubgraphClient, tokens: Tokens) -> CreatePost:
    """Publishes a post of an author; keyword arguments are the input."""

    async def send(author: EntityId, text: str = "Hello", **more: Any) -> dict[str, Any]:
        answer = await posts(CREATE, {"input": {"text": text} | more}, token=tokens.of(author))
        created: dict[str, Any] = answer.ok()["createPost"]
        return created

    return send
