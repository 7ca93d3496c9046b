"""The posts subgraph as an ASGI application: wiring, start and stop, and nothing else.

``create_app`` is called by the embedded runtime and by the service's own process alike.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from shared.cache import connect_redis
from shared.db.readiness import assert_ready
from shared.errors import OperatorError
from shared.events import LiveConsumer, LiveFeed
from shared.events.delivery import delivering_events
from shared.graphql import (
    Authenticator,
    RouterSecrets,
    SubgraphContext,
    SubgraphView,
    create_application,
)
from shared.revocations import RevocationFeed, RevokedSessions
from shared.settings import Environment
from shared.sharding import Shards
from subgraphs.posts.context import PostsContext, PostsServices
from subgraphs.posts.events import EVENTS, channels_of
from subgraphs.posts.repository import PostRepository
from subgraphs.posts.schema import schema
from subgraphs.posts.service import PostService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.applications import Starlette

    from shared.auth import TokenVerifier
    from shared.cache import RedisClient
    from shared.events import Consumer
    from subgraphs.posts.settings import PostsSettings

__all__ = ["create_app"]


def create_app(
    settings: PostsSettings,
    *,
    redis: RedisClient | None = None,
    verifier: TokenVerifier | None = None,
    consumers: Sequence[Consumer] = (),
    revoked: RevokedSessions | None = None,
) -> Starlette:
    """The application; it opens its shards when its lifespan starts, and closes them at its end.

    Args:
        settings: where its data is, and how it behaves.
        redis: for live delivery; the caller closes it. By default a client of the settings' URL.
        verifier: checks access tokens; by default with the keys at the settings' URL.
        consumers: of the domain's events, besides live delivery.
        revoked: the sessions that have been ended, where somebody else in this process hears of
            them; by default read from Redis.

    Raises:
        OperatorError: a setting is missing or they contradict each other. At the start of the
            lifespan: a database lacks migrations.
    """
    if redis is None and settings.redis_url is None:
        raise OperatorError("POSTS_REDIS_URL must be set: live delivery goes through Redis")
    application = _Application(settings, verifier or settings.verifier(), revoked)

    secrets = RouterSecrets(settings.accepted_router_secrets())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with application.running(redis, consumers):
            yield

    return create_application(
        SubgraphView(schema, application.new_context, secrets), lifespan=lifespan
    )


class _Application:
    """The parts of a running posts subgraph."""

    def __init__(
        self, settings: PostsSettings, verifier: TokenVerifier, revoked: RevokedSessions | None
    ) -> None:
        self._settings = settings
        self._topology = settings.topology()
        self._verifier = verifier
        self._revoked = revoked or RevokedSessions(remember=settings.revocation_seconds)
        self._reads_revocations = revoked is None
        self._services: PostsServices | None = None

    @asynccontextmanager
    async def running(
        self, redis: RedisClient | None, consumers: Sequence[Consumer]
    ) -> AsyncIterator[None]:
        """Everything is open inside the block."""
        domain, topology = self._settings.domain, self._topology
        async with AsyncExitStack() as stack:
            if redis is None:
                redis = self._connect_redis()
                stack.push_async_callback(redis.aclose)
            if self._reads_revocations:
                feed = RevocationFeed(redis, self._revoked, slots=topology.slots)
                stack.push_async_callback(feed.stop)
                await feed.start()
            shards = await stack.enter_async_context(
                Shards(topology, self._settings.shard_settings())
            )
            await assert_ready(shards)
            live = LiveFeed(redis)
            stack.push_async_callback(live.stop)
            await live.start()
            self._services = self._wire(shards, live)
            await stack.enter_async_context(
                delivering_events(
                    domain,
                    topology.shards,
                    events=EVENTS,
                    consumers=[LiveConsumer(redis, channels_of), *consumers],
                    kafka=self._settings.kafka(),
                )
            )
            yield

    def new_context(self) -> SubgraphContext:
        """The context of a request."""
        if self._services is None:
            raise RuntimeError("the application's lifespan has not been started")
        return PostsContext(self._services)

    def _connect_redis(self) -> RedisClient:
        if self._settings.redis_url is None:
            raise OperatorError("POSTS_REDIS_URL must be set: live delivery goes through Redis")
        return connect_redis(self._settings.redis_url)

    def _wire(self, shards: Shards, live: LiveFeed) -> PostsServices:
        return PostsServices(
            shards=shards,
            authenticator=Authenticator(self._verifier, self._revoked),
            posts=PostService(shards, PostRepository(), live),
            diagnostics=self._settings.environment is Environment.DEVELOPMENT,
        )
