"""The whole system in one process: PostgreSQL clusters, subgraphs, Redis emulation and router.

What is opened is closed in the reverse order, on every way out: the listening socket first, then
WebSocket connections (1001) and requests in flight, the router, the subgraphs with their relays
and pools, and the clusters last.
"""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from router.composition import SubgraphInput, compose
from router.executor.transport.asgi import AsgiTransport
from router.server.access.issuers import JwtIssuer
from router.server.app import create_router_app
from router.server.serving import ServerAddress, uvicorn_config
from router.server.settings import BadTokens, RouterSettings
from router.server.settings import Environment as RouterEnvironment
from shared.auth import CLIENT_ADDRESS_HEADER, StaticKeys, TokenVerifier
from shared.auth.keys import ALGORITHM
from shared.auth.tokens import TOKEN_TYPE
from shared.cache import InProcessRedis
from shared.revocations import RevokedSessions
from shared.settings import Environment
from socialnet.demo.seed import is_seeded, seed
from socialnet.domains import Domain, subgraph_sdl
from socialnet.embedded.errors import EmbeddedError
from socialnet.embedded.folder import open_folder
from socialnet.embedded.keys import ensure_signing_key, write_public_keys
from socialnet.embedded.server import SignalledProgram, open_listener
from socialnet.embedded.shards import prepare_databases, running_clusters, shard_configs
from socialnet.embedded.welcome import FIRST_QUERY, print_welcome
from subgraphs.posts.app import create_app as create_posts_app
from subgraphs.posts.settings import PostsSettings
from subgraphs.users.app import create_app as create_users_app
from subgraphs.users.settings import UsersSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from router.server.app import RouterApp
    from shared.events import Delivery
    from shared.sharding import ShardConfig
    from socialnet.embedded.folder import DataFolder
    from socialnet.embedded.postgres import PostgresCluster
    from socialnet.progress import Progress

_JWKS_PATH = "/.well-known/jwks.json"
_SHUTDOWN_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemOptions:
    """How an embedded system is started; `shards` None means what the folder has, or two."""

    data_dir: Path
    host: str
    port: int
    shards: int | None
    demo: bool
    reset: bool
    durable: bool
    access_log: bool


async def run_system(options: SystemOptions, console: Console, progress: Progress) -> None:
    """Run everything until a signal comes.

    Raises:
        OperatorError: The port, the folder, postgres or a migration stands in the way.
        asyncio.CancelledError: A signal came during the start.
    """
    async with AsyncExitStack() as stack:
        program = stack.enter_context(SignalledProgram())
        listener = stack.enter_context(open_listener(options.host, options.port))
        folder = stack.enter_context(
            open_folder(options.data_dir, shards=options.shards, reset=options.reset)
        )
        clusters = await stack.enter_async_context(
            running_clusters(folder, progress, durable=options.durable)
        )
        await prepare_databases(clusters, folder.version.slots, progress)
        router_secret = secrets.token_urlsafe(32)
        settings = _make_settings(folder, clusters, router_secret)
        if options.demo and not is_seeded(folder.demo):
            with progress.step("Writing demo data: 200 users, 1 000 posts, who follows whom"):
                await seed(
                    folder.demo,
                    users_topology=settings.users.topology(),
                    posts_topology=settings.posts.topology(),
                )
        with progress.step("Starting subgraphs and router"):
            logouts = _Logouts()
            subgraphs = await _start_subgraphs(stack, settings, logouts)
            router = _make_router(options, subgraphs, router_secret, _jwt_issuer(folder, settings))
            logouts.router = router
        app = _PublicApp(router, jwks=subgraphs[Domain.USERS])
        address = ServerAddress(options.host, listener.getsockname()[1])
        await program.serve(
            uvicorn_config(app, router.settings),
            listener,
            on_started=lambda: print_welcome(console, address.url, demo=is_seeded(folder.demo)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    users: UsersSettings
    posts: PostsSettings


def _make_settings(
    folder: DataFolder, clusters: Sequence[PostgresCluster], router_secret: str
) -> _Settings:
    def entries(domain: Domain) -> list[dict[str, object]]:
        return [_entry(shard) for shard in shard_configs(clusters, domain)]

    slots = folder.version.slots
    return _Settings(
        users=UsersSettings.model_validate(
            {
                "shards": entries(Domain.USERS),
                "slots": slots,
                "environment": Environment.DEVELOPMENT,
                "signing_key_file": ensure_signing_key(folder),
                # everybody is on this machine: an address tells nobody apart
                "limit_register_address": "off",
                "limit_login_address": "off",
                "router_secrets": [router_secret],
            }
        ),
        posts=PostsSettings.model_validate(
            {
                "shards": entries(Domain.POSTS),
                "slots": slots,
                "environment": Environment.DEVELOPMENT,
                "router_secrets": [router_secret],
            }
        ),
    )


def _entry(shard: ShardConfig) -> dict[str, object]:
    return {"id": shard.id, "primary": shard.primary}


async def _start_subgraphs(
    stack: AsyncExitStack, settings: _Settings, logouts: _Logouts
) -> Mapping[Domain, Starlette]:
    """Start all subgraphs; they share one signing key, one emulated Redis, and what they know of
    ended sessions.
    """
    issuer = settings.users.issuer()
    verifier = TokenVerifier(
        StaticKeys(issuer.public_keys),
        issuer=issuer.issuer,
        audience=issuer.audience,
        slots=settings.posts.slots,
    )
    revoked = RevokedSessions(remember=settings.users.revocation_seconds)
    redis = InProcessRedis().client()
    stack.push_async_callback(redis.aclose)
    subgraphs = {
        Domain.USERS: create_users_app(
            settings.users, issuer=issuer, consumers=[logouts], revoked=revoked, redis=redis
        ),
        Domain.POSTS: create_posts_app(
            settings.posts, redis=redis, verifier=verifier, revoked=revoked
        ),
    }
    for app in subgraphs.values():
        await stack.enter_async_context(app.router.lifespan_context(app))
    return subgraphs


def _make_router(
    options: SystemOptions,
    subgraphs: Mapping[Domain, Starlette],
    router_secret: str,
    jwt_issuer: JwtIssuer,
) -> RouterApp:
    settings = RouterSettings(
        environment=RouterEnvironment.DEVELOPMENT,
        host=options.host,
        port=options.port,
        access_log=options.access_log,
        graphiql_query=FIRST_QUERY,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        subgraph_secret=SecretStr(router_secret),
        jwt_issuers=(jwt_issuer,),
        jwt_bad_tokens=BadTokens.IGNORE,  # subgraphs say what is wrong, field by field
        mutation_headers=("user-agent",),
        client_address_forwarded_as=CLIENT_ADDRESS_HEADER,
    )
    composed = compose(
        [SubgraphInput(domain, f"http://{domain}", subgraph_sdl(domain)) for domain in Domain]
    )
    if composed.supergraph_sdl is None:
        errors = "\n".join(f"{error.code}: {error.message}" for error in composed.errors)
        message = f"The subgraphs do not compose:\n{errors}"
        raise EmbeddedError(message)
    transports = {str(domain): AsgiTransport(app) for domain, app in subgraphs.items()}
    return create_router_app(settings, composed.supergraph_sdl, transports=transports)


def _jwt_issuer(folder: DataFolder, settings: _Settings) -> JwtIssuer:
    """Whose access tokens the router believes: for when they end."""
    issuer = settings.users.issuer()
    return JwtIssuer(
        issuer=issuer.issuer,
        audiences=(issuer.audience,),
        algorithms=(ALGORITHM,),
        types=(TOKEN_TYPE,),
        jwks_file=write_public_keys(folder, issuer.public_keys),
    )


class _Logouts:
    """Tells the router of ended sessions, as a consumer of events: what is open with them ends."""

    def __init__(self) -> None:
        self.router: RouterApp | None = None

    async def consume(self, delivery: Delivery) -> None:
        """Handle one event."""
        if self.router is None or delivery.event.type != "user.sessions_ended":
            return
        sessions = delivery.event.payload["sessionIds"]
        for session in sessions if isinstance(sessions, list) else ():
            self.router.sessions.revoke("sid", str(session))


class _PublicApp:
    """The router, and beside it the public keys of access tokens, on one port."""

    def __init__(self, router: ASGIApp, *, jwks: ASGIApp) -> None:
        self._router = router
        self._jwks = jwks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        is_jwks = scope["type"] == "http" and scope["path"] == _JWKS_PATH
        await (self._jwks if is_jwks else self._router)(scope, receive, send)
