"""The workload: which requests are sent, and which statements they come to."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.system.model import HttpRequest, Operation, SqlRequest, Statement
from benchmarks.system.recording import RecordingSession
from shared.events import append
from shared.sharding import EntityId, Topology
from socialnet.demo.people import DEMO_PASSWORD
from socialnet.domains import Domain
from subgraphs.posts.events import PostPublished
from subgraphs.posts.repository import PostRecord, PostRepository
from subgraphs.posts.tables import PostVisibility
from subgraphs.users.repository import UserRepository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from socialnet.demo.dataset import Dataset, DemoPost, DemoUser

_LOG_IN = """mutation ($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { accessToken }
}"""
_ME = "{ me { id handle displayName } }"
_USER = "query ($id: ID!) { user(id: $id) { id handle displayName bio } }"
_POSTS = "query ($ids: [ID!]!) { posts(ids: $ids) { id text author { handle } } }"
_CREATE = "mutation ($text: String!) { createPost(input: {text: $text}) { id createdAt } }"
_TEXT = "Eight kilometres along the canal before sunrise. I feel ten years younger. #running"


@dataclass(frozen=True, slots=True)
class Actor:
    """A logged-in demo user."""

    user: DemoUser
    token: str


async def log_in(url: str, users: Sequence[DemoUser]) -> list[Actor]:
    """Log demo users in, a few at a time: each costs a password hash."""
    permits = asyncio.Semaphore(2)

    async def one(client: httpx.AsyncClient, user: DemoUser) -> Actor:
        variables = {"email": user.person.email, "password": DEMO_PASSWORD}
        async with permits:
            response = await client.post(url, json={"query": _LOG_IN, "variables": variables})
        return Actor(user, response.json()["data"]["login"]["accessToken"])

    async with httpx.AsyncClient(timeout=60) as client:
        return await asyncio.gather(*(one(client, user) for user in users))


async def make_operations(
    dataset: Dataset, actors: Sequence[Actor], topologies: Mapping[Domain, Topology]
) -> list[Operation]:
    """The four operations, each with enough different requests."""
    sql = _Sql(topologies)
    users = [user.id for user in dataset.users]
    # different requests: the router answers equal ones that are under way at the same time by one
    selections = [_posts_of_different_authors(dataset, 100, seed) for seed in range(len(actors))]
    tokens = itertools.cycle(actor.token for actor in actors)
    return [
        Operation(
            name="me",
            http=[_request(_ME, actor.token) for actor in actors],
            sql=[await sql.load_users([actor.user.id]) for actor in actors],
        ),
        Operation(
            name="user(id)",
            http=[_request(_USER, next(tokens), id=str(user)) for user in users],
            sql=[await sql.load_users([user]) for user in users],
        ),
        Operation(
            name="posts(ids: 100) { author }",
            http=[
                _request(_POSTS, next(tokens), ids=[str(post.id) for post in posts])
                for posts in selections
            ],
            sql=[await sql.load_posts_and_authors(posts) for posts in selections],
        ),
        Operation(
            name="createPost",
            http=[_request(_CREATE, actor.token, text=_TEXT) for actor in actors],
            sql=[await sql.create_post(actor.user.id) for actor in actors],
        ),
    ]


def _request(query: str, token: str, **variables: object) -> HttpRequest:
    return HttpRequest(body=json.dumps({"query": query, "variables": variables}), token=token)


def _posts_of_different_authors(dataset: Dataset, count: int, seed: int) -> list[DemoPost]:
    posts = list(dataset.posts)
    random.Random(seed).shuffle(posts)
    return list({post.author_id: post for post in posts}.values())[:count]


class _Sql:
    """The same operations as statements, as the repositories make them."""

    def __init__(self, topologies: Mapping[Domain, Topology]) -> None:
        self._topologies = topologies

    async def load_users(self, ids: Sequence[EntityId]) -> SqlRequest:
        return SqlRequest(stages=[await self._users_stage(ids)], transaction=False)

    async def load_posts_and_authors(self, posts: Sequence[DemoPost]) -> SqlRequest:
        first = await self._posts_stage([post.id for post in posts])
        second = await self._users_stage([post.author_id for post in posts])
        return SqlRequest(stages=[first, second], transaction=False)

    async def create_post(self, author: EntityId) -> SqlRequest:
        post_id = EntityId.new(author.slot)
        session: Any = RecordingSession(self._url(Domain.POSTS, author), author.slot)
        post = PostRecord(
            id=post_id,
            author_id=author,
            text=_TEXT,
            visibility=PostVisibility.PUBLIC,
            tags=("running",),
            reply_to=None,
            quote_of=None,
            created_at=datetime.now(UTC),
        )
        await PostRepository().insert_post(session, post, client_request_id=None)
        payload = PostPublished(
            post_id=str(post.id),
            author_id=str(author),
            visibility=post.visibility,
            tags=post.tags,
            reply_to_id=None,
            quote_of_id=None,
            created_at=post.created_at,
        )
        event = await append(session, payload, actor=author)
        statements = session.statements(post_id.uuid, event.id)
        return SqlRequest(stages=[statements], transaction=True)

    async def _users_stage(self, ids: Sequence[EntityId]) -> list[Statement]:
        # who looks makes no difference to what the statement costs
        load = partial(UserRepository().load_many_seen, viewer_id=ids[0])
        return await self._stage(Domain.USERS, ids, load)

    async def _posts_stage(self, ids: Sequence[EntityId]) -> list[Statement]:
        return await self._stage(Domain.POSTS, ids, PostRepository().load_many_posts)

    async def _stage(self, domain: Domain, ids: Sequence[EntityId], load: Any) -> list[Statement]:
        """One statement per shard, as the loaders do it."""
        statements: list[Statement] = []
        by_url: dict[str, list[EntityId]] = {}
        for entity_id in ids:
            by_url.setdefault(self._url(domain, entity_id), []).append(entity_id)
        for url, its_ids in by_url.items():
            session = RecordingSession(url, its_ids[0].slot)
            await load(session, its_ids)
            statements += session.statements()
        return statements

    def _url(self, domain: Domain, entity_id: EntityId) -> str:
        topology = self._topologies[domain]
        return topology.shard(topology.shard_of(entity_id.slot)).primary
