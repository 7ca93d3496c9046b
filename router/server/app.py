"""The router's ASGI application: which path goes where, and what starts and stops with it.

The GraphQL path is handled on raw ASGI; Starlette serves the rest (``docs/adr`` has the
measurements). One application can be served by uvicorn on its own (``serving``) or be part of a
larger process, which then calls subgraphs without a network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

from router.server import log_context
from router.server.access.authenticator import make_authenticator
from router.server.access_log import AccessLog
from router.server.background import collect_for_good
from router.server.endpoints import graphiql_page, make_endpoints
from router.server.generation import Generation, Generations
from router.server.graphiql import GraphiQLAssets
from router.server.headers import HeaderReader
from router.server.http.endpoint import HttpEndpoint
from router.server.limits.rates.limiter import RATE_HEADERS
from router.server.limits.requests import RequestLimits
from router.server.negotiation import prefers_html
from router.server.pipeline.identify import DocumentFinder
from router.server.readiness import Readiness
from router.server.reload import Reloader, ReloadOutcome
from router.server.response_headers import CollectedHeaders, with_response_headers
from router.server.subscriptions.revocations import make_revocation_reader
from router.server.subscriptions.session import Sessions
from router.server.telemetry import Metrics
from router.server.tracing import Tracing, make_tracing
from router.server.websocket.endpoint import WebSocketEndpoint
from router.supergraph import load_supergraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import TracerProvider
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from router.executor.transport.base import SubgraphTransport
    from router.server.access.policies import PolicyEvaluator
    from router.server.headers import RequestHeaders
    from router.server.settings import RouterSettings
    from router.supergraph import Supergraph

__all__ = ["RouterApp", "create_router_app"]

_REVOCATIONS_WAIT = 2.0  # seconds that the start may take longer


def create_router_app(
    settings: RouterSettings,
    supergraph_sdl: str,
    *,
    transports: Mapping[str, SubgraphTransport] | None = None,
    policies: PolicyEvaluator | None = None,
    tracer_provider: TracerProvider | None = None,
    own_process: bool = False,
) -> RouterApp:
    """Return a router for a supergraph.

    ``transports`` carry the requests to the subgraphs of these names, and stay the caller's to
    close; the other subgraphs are reached at the addresses in the supergraph. ``policies`` decides
    what ``@policy`` asks, in place of what the settings say; ``tracer_provider`` gets OpenTelemetry
    spans, likewise. ``own_process``: the router may tune the garbage collector, since nothing else
    runs in the process. Raises SupergraphError for a bad supergraph, RouterConfigError for an
    address that is none or a manifest of persisted documents that cannot be used.
    """
    supergraph = load_supergraph(supergraph_sdl)
    tracing = make_tracing(settings, tracer_provider)
    return RouterApp(settings, supergraph, transports, policies, tracing, own_process=own_process)


class RouterApp:
    """An ASGI 3 application: GraphQL over HTTP and WebSocket, health, metrics, GraphiQL.

    Whoever embeds it passes lifespan events on, or awaits :meth:`aclose` at the end.
    """

    def __init__(
        self,
        settings: RouterSettings,
        supergraph: Supergraph,
        transports: Mapping[str, SubgraphTransport] | None = None,
        policies: PolicyEvaluator | None = None,
        tracing: Tracing | None = None,
        *,
        own_process: bool = False,
    ) -> None:
        self.settings = settings
        self._tracing = tracing
        self.metrics = Metrics(
            max_operation_labels=settings.max_operation_labels,
            tracer=None if tracing is None else tracing.tracer,
        )
        self.sessions = Sessions(remember=settings.revocation_max_age)  # of this process
        self._revocations = make_revocation_reader(settings, self.sessions, self.metrics)
        self._transports = dict(transports or {})
        self._policies = policies
        self._authenticator = make_authenticator(settings, self.sessions.is_revoked)
        self._generations = Generations(
            self._generation(supergraph),
            drain_seconds=settings.reload_drain_time,
            on_closed=collect_for_good if own_process else _leave_it_to_the_collector,
        )
        self._reloader = Reloader(
            self._generations, self._generation, settings, self.metrics, own_process=own_process
        )
        self._reader = HeaderReader(settings)
        access_log = AccessLog() if settings.access_log else None
        self._graphiql = _load_graphiql(settings)
        self._draining = False
        self._limits = RequestLimits(settings, self.metrics)
        self._documents = DocumentFinder(settings, self.metrics)
        self._http = HttpEndpoint(
            self._generations,
            settings,
            self.metrics,
            self._documents,
            self.sessions,
            access_log,
            limits=self._limits,
            authenticator=self._authenticator,
        )
        self._websocket = WebSocketEndpoint(
            self._generations,
            settings,
            self.metrics,
            self._documents,
            self.sessions,
            self._reader,
            access_log,
            limits=self._limits,
            authenticator=self._authenticator,
        )
        self._endpoints = make_endpoints(
            readiness=Readiness(self._generations, settings),
            is_draining=lambda: self._draining,
            metrics=self.metrics,
            graphiql=self._graphiql,
            graphiql_prefix=f"{settings.path.rpartition('/')[0]}/graphiql",
        )
        self._http_app = self._with_cors(self._route_http)

    @property
    def supergraph(self) -> Supergraph:
        """The supergraph that new requests run on."""
        return self._generations.current.supergraph

    async def reload(self, sdl: str) -> ReloadOutcome:
        """Let new requests run on another supergraph, once its hottest operations are planned.

        Requests that have begun stay on theirs; subscriptions too, until they are ended over
        ``reload_drain_time``. One that cannot be loaded changes nothing; it is logged and counted.
        """
        return await self._reloader.reload(sdl)

    async def refuse(self) -> None:
        """Count a change of the supergraph that could not be read; who tried has logged why."""
        self._reloader.refuse()

    def stop_being_ready(self) -> None:
        """Go on serving, but tell load balancers that it will not be for long; every answer closes
        its connection.
        """
        self._draining = True

    def drain(self) -> None:
        """Stop being ready, close all WebSocket connections with 1001 and end all streams of
        subscriptions. Other HTTP requests in flight go on.
        """
        self._draining = True
        self._websocket.drain()
        self._http.drain()

    async def aclose(self) -> None:
        """Drain, and close the connections to subgraphs and stores."""
        self.drain()
        self._reloader.close()
        await self._generations.close()
        await self._limits.aclose()
        await self._documents.aclose()
        if self._revocations is not None:
            await self._revocations.aclose()
        if self._authenticator is not None:
            await self._authenticator.aclose()
        if self._tracing is not None:
            await self._tracing.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if self._limits.addresses is not None and scope["type"] != "lifespan":
            self._limits.addresses.resolve(scope)
        match scope["type"]:
            case "http":
                if self._draining:
                    send = _closing(send)
                await self._http_app(scope, receive, send)
            case "websocket":
                await self._route_websocket(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case unknown:
                raise ValueError(f"unknown ASGI scope type {unknown!r}")

    async def _route_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_graphql(scope):
            await self._endpoints(scope, receive, send)
            return
        headers = self._reader.read(scope["headers"], scope.get("client"))
        if (
            self._graphiql is not None
            and scope["method"] in {"GET", "HEAD"}
            and prefers_html(headers.get(b"accept"))
        ):
            etag = Request(scope).headers.get("if-none-match")
            await graphiql_page(self._graphiql, etag)(scope, receive, send)
            return
        log_context.enter(headers)
        collects = self.settings.response_headers or self.settings.carried_headers
        endpoint = self._http_with_headers if collects else self._http
        if self._tracing is not None:
            await self._tracing.http(endpoint, scope, receive, send, headers)
            return
        await endpoint(scope, receive, send, headers)

    async def _http_with_headers(
        self, scope: Scope, receive: Receive, send: Send, headers: RequestHeaders
    ) -> None:
        settings = self.settings
        collected = CollectedHeaders(
            frozenset(settings.response_headers), frozenset(settings.carried_headers)
        )
        await with_response_headers(collected, self._http, scope, receive, send, headers)

    async def _route_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_graphql(scope):
            headers = self._reader.read(scope["headers"], scope.get("client"))
            await self._websocket(scope, receive, send, headers)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})  # before accept: HTTP 403

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup: connections to subgraphs are opened when first needed
        if self._revocations is not None:
            await self._revocations.start(wait=_REVOCATIONS_WAIT)
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    def _is_graphql(self, scope: Scope) -> bool:
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        return path == self.settings.path

    def _generation(self, supergraph: Supergraph) -> Generation:
        return Generation(supergraph, self.settings, self.metrics, self._transports, self._policies)

    def _with_cors(self, app: ASGIApp) -> ASGIApp:
        settings = self.settings
        if not settings.allows_cross_origin:
            return app
        return CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_origin_regex=settings.cors_origin_regex,
            allow_private_network=settings.cors_private_network,
            allow_credentials=settings.cors_credentials,
            allow_methods=("GET", "HEAD", "POST", "OPTIONS"),
            allow_headers=(
                "content-encoding",
                "content-type",
                "x-request-id",
                *settings.client_headers,
                *settings.csrf_headers,
                *settings.cors_headers,
            ),
            expose_headers=(
                *settings.cors_expose_headers,
                *settings.carried_headers,
                *(() if self._limits.rates is None else RATE_HEADERS),
            ),
            max_age=settings.cors_max_age,
        )


def _closing(send: Send) -> Send:
    """Let answers tell clients not to use their connection again: it is about to be closed."""

    async def send_closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return send_closing


def _leave_it_to_the_collector() -> None:
    pass


def _load_graphiql(settings: RouterSettings) -> GraphiQLAssets | None:
    if not settings.shows_graphiql:
        return None
    debug_headers = {"x-router-debug": "1"} if settings.shows_extensions else {}
    config: dict[str, object] = {"defaultHeaders": debug_headers}
    if settings.graphiql_query is not None:
        config["defaultQuery"] = settings.graphiql_query
    return GraphiQLAssets(settings.graphiql_directory, config)
