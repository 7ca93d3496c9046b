"""The router's ASGI application: which path goes where, and what starts and stops with it.

The GraphQL path is handled on raw ASGI; Starlette serves the rest (``docs/adr`` has the
measurements). One application can be served by uvicorn on its own (``serving``) or be part of a
larger process, which then calls subgraphs without a network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

from router.server.access_log import AccessLog
from router.server.endpoints import graphiql_page, make_endpoints
from router.server.generation import Generation, Generations
from router.server.graphiql import GraphiQLAssets
from router.server.headers import HeaderReader
from router.server.http.endpoint import HttpEndpoint
from router.server.negotiation import prefers_html
from router.server.readiness import Readiness
from router.server.telemetry import Metrics
from router.server.websocket.endpoint import WebSocketEndpoint
from router.supergraph import load_supergraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from router.executor.transport.base import SubgraphTransport
    from router.server.settings import RouterSettings
    from router.supergraph import Supergraph

__all__ = ["RouterApp", "create_router_app"]

_CORS_MAX_AGE_SECONDS = 7200


def create_router_app(
    settings: RouterSettings,
    supergraph_sdl: str,
    *,
    transports: Mapping[str, SubgraphTransport] | None = None,
) -> RouterApp:
    """Return a router for a supergraph.

    ``transports`` carry the requests to the subgraphs of these names, and stay the caller's to
    close; the other subgraphs are reached at the addresses in the supergraph. Raises
    SupergraphError for a bad supergraph, RouterConfigError for an address that is none.
    """
    return RouterApp(settings, load_supergraph(supergraph_sdl), transports)


class RouterApp:
    """An ASGI 3 application: GraphQL over HTTP and WebSocket, health, metrics, GraphiQL.

    Whoever embeds it passes lifespan events on, or awaits :meth:`aclose` at the end.
    """

    def __init__(
        self,
        settings: RouterSettings,
        supergraph: Supergraph,
        transports: Mapping[str, SubgraphTransport] | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = Metrics(max_operation_labels=settings.max_operation_labels)
        self._transports = dict(transports or {})
        self._generations = Generations(self._generation(supergraph))
        self._reader = HeaderReader(settings)
        access_log = AccessLog() if settings.access_log else None
        self._graphiql = _load_graphiql(settings)
        self._draining = False
        self._http = HttpEndpoint(self._generations, settings, self.metrics, access_log)
        self._websocket = WebSocketEndpoint(
            self._generations, settings, self.metrics, self._reader, access_log
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

    def swap(self, supergraph: Supergraph) -> None:
        """Let new requests run on another supergraph; those that have begun, and subscriptions,
        stay on theirs.
        """
        self._generations.swap(self._generation(supergraph))

    def drain(self) -> None:
        """Stop being ready, and close all WebSocket connections with 1001. HTTP requests in flight
        go on.
        """
        self._draining = True
        self._websocket.drain()

    async def aclose(self) -> None:
        """Drain, and close the connections to subgraphs."""
        self.drain()
        await self._generations.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        match scope["type"]:
            case "http":
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
        headers = self._reader.read(scope["headers"])
        if (
            self._graphiql is not None
            and scope["method"] in {"GET", "HEAD"}
            and prefers_html(headers.get(b"accept"))
        ):
            etag = Request(scope).headers.get("if-none-match")
            await graphiql_page(self._graphiql, etag)(scope, receive, send)
            return
        await self._http(scope, receive, send, headers)

    async def _route_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_graphql(scope):
            await self._websocket(scope, receive, send, self._reader.read(scope["headers"]))
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})  # before accept: HTTP 403

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup: connections to subgraphs are opened when first needed
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
        return Generation(supergraph, self.settings, self.metrics, self._transports)

    def _with_cors(self, app: ASGIApp) -> ASGIApp:
        settings = self.settings
        if not settings.cors_origins:
            return app
        return CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_credentials=settings.cors_credentials,
            allow_methods=("GET", "HEAD", "POST", "OPTIONS"),
            allow_headers=(
                "content-type",
                "x-request-id",
                *settings.forward_headers,
                *settings.csrf_headers,
            ),
            expose_headers=("x-request-id",),
            max_age=_CORS_MAX_AGE_SECONDS,
        )


def _load_graphiql(settings: RouterSettings) -> GraphiQLAssets | None:
    if not settings.shows_graphiql:
        return None
    debug_headers = {"x-router-debug": "1"} if settings.shows_extensions else {}
    config: dict[str, object] = {"defaultHeaders": debug_headers}
    if settings.graphiql_query is not None:
        config["defaultQuery"] = settings.graphiql_query
    return GraphiQLAssets(settings.graphiql_directory, config)
