"""Reading one's own writes through the router, while the replicas stand still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from starlette.applications import Starlette

from router.composition import SubgraphInput, compose
from router.executor.transport import AsgiTransport
from router.server.app import create_router_app
from router.server.settings import RouterSettings
from shared.cache import InProcessRedis
from shared.db import migrations
from shared.graphql import CONSISTENCY_HEADER
from shared.settings import Environment, ShardEntry
from shared.sharding import ShardConfig
from socialnet.domains import Domain, subgraph_sdl
from subgraphs.posts.app import create_app as create_posts_app
from subgraphs.posts.settings import PostsSettings
from subgraphs.users.app import create_app as create_users_app
from subgraphs.users.settings import UsersSettings
from tests.support.postgres import reachable_folder
from tests.support.replication import ReplicatedShard, ask, replicated_shard
from tests.support.router_server import served
from tests.support.subgraphs import Tokens, cheap_passwords
from tests.support.waiting import until

REGISTER = """
mutation ($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }
"""
RENAME = 'mutation { updateProfile(input: {displayName: "New"}) { displayName } }'
ME = "{ me { displayName } }"


@dataclass(slots=True)
class Client:
    """A client that carries the token of its writes, unless it is told to forget it."""

    http: httpx.AsyncClient
    access_token: str = ""
    consistency: str | None = None

    async def __call__(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        headers = {"authorization": f"Bearer {self.access_token}"} if self.access_token else {}
        if self.consistency is not None:
            headers[CONSISTENCY_HEADER] = self.consistency
        body = {"query": query, "variables": variables or {}}
        response = await self.http.post("/graphql", json=body, headers=headers)
        self.consistency = response.headers.get(CONSISTENCY_HEADER, self.consistency)
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[ReplicatedShard]:
    with reachable_folder() as folder:
        async with replicated_shard(folder) as shard:
            for domain in Domain:
                await shard.primary.create_database(domain)
                await migrations.up(domain, [shard.config(domain)])
            await shard.caught_up()
            yield shard


def _entry(config: ShardConfig) -> ShardEntry:
    replicas = tuple(map(SecretStr, config.replicas))
    return ShardEntry(id=config.id, primary=SecretStr(config.primary), replicas=replicas)


@pytest.fixture
async def address(servers: ReplicatedShard) -> AsyncIterator[str]:
    tokens = Tokens()
    common: dict[str, Any] = {
        "environment": Environment.TEST,
        "health_interval": 0.05,
        "replica_max_lag": 600.0,
    }
    users = UsersSettings(shards=(_entry(servers.config("users")),), **common)
    posts = PostsSettings(shards=(_entry(servers.config("posts")),), **common)
    async with AsyncExitStack() as stack:
        redis = InProcessRedis().client()
        stack.push_async_callback(redis.aclose)
        apps = {
            "users": create_users_app(users, issuer=tokens.issuer, passwords=cheap_passwords()),
            "posts": create_posts_app(posts, redis=redis, verifier=tokens.verifier()),
        }
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield await stack.enter_async_context(served(_router(apps)))


def _router(apps: dict[str, Starlette]) -> Any:
    composed = compose([SubgraphInput(d, f"http://{d}", subgraph_sdl(d)) for d in Domain])
    assert composed.supergraph_sdl is not None
    settings = RouterSettings.model_validate(
        {"environment": "test", "access_log": False, "carried_headers": [CONSISTENCY_HEADER]}
    )
    transports = {name: AsgiTransport(app) for name, app in apps.items()}
    return create_router_app(settings, composed.supergraph_sdl, transports=transports)


@pytest.fixture
async def client(address: str) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        yield Client(http)


@pytest.fixture
async def ada(client: Client, servers: ReplicatedShard, request: pytest.FixtureRequest) -> Client:
    """A user whom the replica knows; from then on it stands still."""
    name = f"u{abs(hash(request.node.name)) % 10**9}"
    entered = {
        "email": f"{name}@example.com",
        "password": "correct horse 1",
        "handle": name,
        "displayName": "Old",
    }
    registered = (await client(REGISTER, {"input": entered}))["register"]
    client.access_token = registered["accessToken"]
    await servers.caught_up()
    await until(lambda: _reads_replica(client))
    await ask(servers.standbys[0], "SELECT pg_wal_replay_pause()")
    paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
    await until(lambda: ask(servers.standbys[0], paused))
    return client


@pytest.fixture(autouse=True)
async def resumed(servers: ReplicatedShard) -> AsyncIterator[None]:
    yield
    await ask(servers.standbys[0], "SELECT pg_wal_replay_resume()")


async def _reads_replica(client: Client) -> bool:
    before = _replica_reads("users")
    await client(ME)
    return _replica_reads("users") > before


def _replica_reads(domain: str) -> float:
    labels = {"domain": domain, "shard": "shard-0", "role": "replica"}
    return REGISTRY.get_sample_value("socialnet_shard_statement_seconds_count", labels) or 0


async def test_an_own_write_is_seen_at_once_and_by_others_from_the_replica(ada: Client) -> None:
    other = Client(ada.http, ada.access_token)

    await ada(RENAME)

    assert (await ada(ME))["me"]["displayName"] == "New"
    assert not await _reads_replica(ada)
    assert (await other(ME))["me"]["displayName"] == "Old"
    assert await _reads_replica(other)


async def test_a_mutation_sees_with_one_subgraph_what_it_has_written_before_another(
    ada: Client,
) -> None:
    ada.consistency = None

    data = await ada(
        """mutation {
          updateProfile(input: {displayName: "New"}) { displayName }
          createPost(input: {text: "first"}) {
            id author { displayName postCount posts(first: 1) { nodes { text } } }
          }
        }"""
    )

    author = data["createPost"]["author"]
    assert author == {
        "displayName": "New",
        "postCount": 1,
        "posts": {"nodes": [{"text": "first"}]},
    }
    # the token of one request that wrote in two domains serves both
    post_id = data["createPost"]["id"]
    query = "query ($id: ID!) { me { displayName postCount } post(id: $id) { text } }"
    seen = await ada(query, {"id": post_id})
    assert seen == {"me": {"displayName": "New", "postCount": 1}, "post": {"text": "first"}}
    stale = await Client(ada.http, ada.access_token)(query, {"id": post_id})
    assert stale == {"me": {"displayName": "Old", "postCount": 0}, "post": None}


async def test_the_replica_is_read_again_once_it_has_the_write(
    ada: Client, servers: ReplicatedShard
) -> None:
    await ada(RENAME)
    await ask(servers.standbys[0], "SELECT pg_wal_replay_resume()")
    await servers.caught_up()

    await until(lambda: _reads_replica(ada))
    assert (await ada(ME))["me"]["displayName"] == "New"
