"""The users subgraph as an ASGI application: wiring, start and stop, and nothing else.

``create_app`` is called by the embedded runtime and by the service's own process alike.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.auth import PasswordHashing, StaticKeys, TokenVerifier
from shared.auth.keys import jwks_document
from shared.cache import InProcessRedis, connect_redis
from shared.db.readiness import assert_ready
from shared.errors import OperatorError
from shared.events import LiveFeed
from shared.events.delivery import delivering_events
from shared.graphql import (
    Authenticator,
    RouterSecrets,
    SubgraphContext,
    SubgraphView,
    create_application,
)
from shared.limits import RateLimiter
from shared.revocations import RevocationConsumer, RevocationFeed, RevokedSessions
from shared.settings import Environment
from shared.sharding import Shards, SlotWalk
from subgraphs.users.account_wiring import wire_accounts
from subgraphs.users.context import UsersContext, UsersServices
from subgraphs.users.events import EVENTS
from subgraphs.users.repository import (
    BlockRepository,
    ContactRepository,
    DeviceRepository,
    FollowRepository,
    LastSeenRepository,
    PresenceStore,
    PrivacyRepository,
    SearchRepository,
    SessionRepository,
    StandingRepository,
    UserRepository,
)
from subgraphs.users.schema import schema
from subgraphs.users.service import (
    BlockService,
    ContactService,
    ContactSyncService,
    DeviceMoves,
    DeviceService,
    FollowListService,
    FollowMirror,
    FollowService,
    PresenceAnnouncer,
    PresenceConsumer,
    PresenceService,
    PrivacyService,
    ProfileService,
    SearchService,
    SessionService,
    StatsService,
)
from subgraphs.users.sms import ConsoleSmsSender, HttpSmsSender, NoSmsSender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from shared.auth import TokenIssuer
    from shared.cache import RedisClient
    from shared.events import Consumer
    from subgraphs.users.settings import UsersSettings
    from subgraphs.users.sms import SmsSender

__all__ = ["create_app"]


def create_app(
    settings: UsersSettings,
    *,
    issuer: TokenIssuer | None = None,
    passwords: PasswordHashing | None = None,
    consumers: Sequence[Consumer] = (),
    revoked: RevokedSessions | None = None,
    redis: RedisClient | None = None,
    sms: SmsSender | None = None,
) -> Starlette:
    """The application; it opens its shards when its lifespan starts, and closes them at its end.

    Args:
        settings: where its data is, and how it behaves.
        issuer: signs access tokens; by default made from the settings' key.
        passwords: how passwords are hashed; by default argon2id with its recommended parameters.
        consumers: of the domain's events, besides the domain's own.
        revoked: the sessions that have been ended, where the process keeps them for several
            subgraphs; by default its own, which hear of each other by Redis if there is one.
        redis: for presence, where the settings name none; the caller closes it. By default an
            emulation of this process alone, outside of production.
        sms: sends codes; by default through the settings' gateway.

    Raises:
        OperatorError: the settings contradict themselves, or a key is missing. At the start of the
        lifespan:
            a database lacks migrations.
    """
    application = _Application(
        settings, issuer or settings.issuer(), passwords or PasswordHashing(), revoked, sms
    )
    if (
        redis is None
        and settings.redis_url is None
        and settings.environment is Environment.PRODUCTION
    ):
        raise OperatorError("USERS_REDIS_URL must be set in production: presence is kept in Redis")

    secrets = RouterSecrets(settings.accepted_router_secrets())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with application.running(redis, consumers):
            yield

    return create_application(
        SubgraphView(schema, application.new_context, secrets),
        lifespan=lifespan,
        routes=[Route("/.well-known/jwks.json", application.jwks)],
    )


class _Application:
    """The parts of a running users subgraph."""

    def __init__(
        self,
        settings: UsersSettings,
        issuer: TokenIssuer,
        passwords: PasswordHashing,
        revoked: RevokedSessions | None,
        sms: SmsSender | None,
    ) -> None:
        self._settings = settings
        self._topology = settings.topology()
        self._issuer = issuer
        self._passwords = passwords
        self._revoked = revoked or RevokedSessions(remember=settings.revocation_seconds)
        self._hears_of_others = revoked is None
        self._follows = FollowRepository()
        self._devices = DeviceRepository()
        self._sms = sms
        self._services: UsersServices | None = None

    @asynccontextmanager
    async def running(
        self, local_redis: RedisClient | None, consumers: Sequence[Consumer]
    ) -> AsyncIterator[None]:
        """Everything is open inside the block."""
        domain, topology = self._settings.domain, self._topology
        async with AsyncExitStack() as stack:
            redis = self._connect_redis(stack)
            if redis is not None and self._hears_of_others:
                feed = RevocationFeed(redis, self._revoked, slots=topology.slots)
                stack.push_async_callback(feed.stop)
                await feed.start()
            # counters that all processes share, when there is a Redis
            limiter = RateLimiter.in_memory() if redis is None else RateLimiter.in_redis(redis)
            sms = self._sms or await self._sms_sender(stack)
            shards = await stack.enter_async_context(
                Shards(topology, self._settings.shard_settings())
            )
            await assert_ready(shards)
            presence_redis = redis or local_redis or _emulated_redis(stack)
            live = LiveFeed(presence_redis)
            stack.push_async_callback(live.stop)
            await live.start()
            store = PresenceStore(
                presence_redis, online_for=timedelta(seconds=self._settings.presence_seconds)
            )
            announcer = PresenceAnnouncer(presence_redis)
            presence = PresenceService(shards, store, LastSeenRepository(), announcer, live)
            self._services = services = self._wire(shards, limiter, presence, sms)
            revoking = RevocationConsumer(self._revoked, redis, slots=topology.slots)
            await stack.enter_async_context(
                delivering_events(
                    domain,
                    topology.shards,
                    events=EVENTS,
                    consumers=[
                        revoking,
                        FollowMirror(shards, self._follows),
                        PresenceConsumer(store, announcer, slots=topology.slots),
                        DeviceMoves(shards, self._devices),
                        services.erased_users,
                        *consumers,
                    ],
                    kafka=self._settings.kafka(),
                )
            )
            await self._start_jobs(stack, shards, services)
            await self._passwords.warm_up()
            yield

    def new_context(self) -> SubgraphContext:
        """The context of a request."""
        if self._services is None:
            raise RuntimeError("the application's lifespan has not been started")
        return UsersContext(self._services)

    async def jwks(self, _: Request) -> Response:
        """The public keys of the access tokens (RFC 7517), for router and subgraphs."""
        return JSONResponse(
            jwks_document(self._issuer.public_keys),
            headers={"cache-control": "public, max-age=300"},
            media_type="application/jwk-set+json",
        )

    async def _start_jobs(
        self, stack: AsyncExitStack, shards: Shards, services: UsersServices
    ) -> None:
        """What is cleaned up some day, slot by slot."""
        for job in (
            SlotWalk("forget sessions", shards, services.sessions.prune),
            SlotWalk("erase deleted users", shards, services.erasure.erase_due),
            SlotWalk("forget codes", shards, services.otp.prune),
        ):
            stack.push_async_callback(job.stop)
            await job.start()

    def _connect_redis(self, stack: AsyncExitStack) -> RedisClient | None:
        if self._settings.redis_url is None:
            return None
        redis = connect_redis(self._settings.redis_url)
        stack.push_async_callback(redis.aclose)
        return redis

    async def _sms_sender(self, stack: AsyncExitStack) -> SmsSender:
        """The gateway; without one, messages are for developers' eyes."""
        gateway = self._settings.sms_gateway()
        if gateway is not None:
            return await stack.enter_async_context(HttpSmsSender(gateway))
        is_production = self._settings.environment is Environment.PRODUCTION
        return NoSmsSender() if is_production else ConsoleSmsSender()

    def _wire(
        self, shards: Shards, limiter: RateLimiter, presence: PresenceService, sms: SmsSender
    ) -> UsersServices:
        repository = UserRepository()
        sessions = SessionService(
            shards,
            SessionRepository(),
            repository,
            self._issuer,
            limiter,
            self._settings.account_limits(),
            self._settings.session_policy(),
        )
        follows = FollowService(shards, self._follows, limiter, self._settings.follow_limit())
        parts = wire_accounts(
            shards,
            self._settings,
            issuer=self._issuer,
            passwords=self._passwords,
            sessions=sessions,
            limiter=limiter,
            sms=sms,
            follows=follows,
        )
        verifier = TokenVerifier(
            StaticKeys(self._issuer.public_keys),
            issuer=self._issuer.issuer,
            audience=self._issuer.audience,
            slots=shards.topology.slots,
        )
        contacts = ContactRepository()
        return UsersServices(
            shards=shards,
            authenticator=Authenticator(verifier, self._revoked),
            accounts=parts.accounts,
            phones=parts.phones,
            credentials=parts.credentials,
            lifecycle=parts.lifecycle,
            erasure=parts.erasure,
            erased_users=parts.erased_users,
            otp=parts.otp,
            profiles=ProfileService(shards, repository, parts.identities, parts.changes),
            follows=follows,
            follow_lists=FollowListService(shards, self._follows),
            contacts=ContactService(shards, repository, contacts),
            contact_sync=ContactSyncService(
                shards,
                repository,
                contacts,
                parts.identities,
                limiter=limiter,
                limit=self._settings.sync_contacts_limit(),
            ),
            blocks=BlockService(shards, repository, BlockRepository(), follows),
            search=SearchService(
                shards, SearchRepository(), limiter, self._settings.search_limit()
            ),
            presence=presence,
            privacy=PrivacyService(shards, repository, PrivacyRepository()),
            sessions=sessions,
            standings=StandingRepository(),
            stats=StatsService(shards),
            devices=DeviceService(
                shards, self._devices, repository, limiter, self._settings.device_limit()
            ),
            diagnostics=self._settings.environment is Environment.DEVELOPMENT,
        )


def _emulated_redis(stack: AsyncExitStack) -> RedisClient:
    """A Redis of this process alone."""
    redis = InProcessRedis().client()
    stack.push_async_callback(redis.aclose)
    return redis
