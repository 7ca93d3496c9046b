"""A small GraphQL service that serves GraphiQL's files as the router does.

The schema echoes: the headers and the ``connection_init`` payload that arrived come back as data.
The test sets the response extensions (``EchoService.extensions``) and feeds the subscription
(``EchoService.ticks``).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from strawberry.asgi import GraphQL
from strawberry.extensions import SchemaExtension
from typing_extensions import override

from router.server.graphiql import GraphiQLAssets

__all__ = ["CONTENT_SECURITY_POLICY", "DIST", "EchoService", "serving"]

DIST: Final = Path("router/server/graphiql/dist")

CONTENT_SECURITY_POLICY: Final = (  # as in router/server/graphiql/ui/README.md
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@strawberry.type
class Query:
    """Root fields that answer with what they were asked."""

    @strawberry.field
    def greeting(self, name: str = "world") -> str:
        return f"Hello, {name}!"

    @strawberry.field
    def header(self, info: strawberry.Info, name: str) -> str | None:
        request: Request = info.context["request"]
        return request.headers.get(name)


@strawberry.type
class Subscription:
    """Event streams that the test feeds."""

    @strawberry.subscription
    async def tick(self, info: strawberry.Info) -> AsyncGenerator[str, None]:
        service: EchoService = info.context["request"].app.state.service
        service.subscribed.set()
        try:
            while True:
                yield await service.ticks.get()
        finally:
            service.unsubscribed.set()

    @strawberry.subscription
    async def connection(self, info: strawberry.Info) -> AsyncGenerator[str, None]:
        yield orjson.dumps(info.context["connection_params"]).decode()


class EchoExtensions(SchemaExtension):
    """Answers requests for debugging with the extensions that the test wants."""

    @override
    def get_results(self) -> dict[str, Any]:
        request = self.execution_context.context["request"]
        if request.headers.get("x-router-debug") != "1":
            return {}
        service: EchoService = request.app.state.service
        return service.extensions


class EchoService:
    """The application below one path prefix, and the test's hands in it."""

    def __init__(self, prefix: str = "", config: dict[str, object] | None = None) -> None:
        self.prefix = prefix
        self.extensions: dict[str, Any] = {}  # any JSON, malformed on purpose too
        self.ticks: asyncio.Queue[str] = asyncio.Queue()
        self.subscribed = asyncio.Event()
        self.unsubscribed = asyncio.Event()
        self._page = GraphiQLAssets(DIST, config).page
        schema = strawberry.Schema(Query, subscription=Subscription, extensions=[EchoExtensions])
        self._graphql: GraphQL[object, object] = GraphQL(
            schema, graphql_ide=None, subscription_protocols=["graphql-transport-ws"]
        )

    def app(self) -> Starlette:
        """Page and API at ``<prefix>/graphql``, the page's files below ``<prefix>/graphiql/``."""
        routes = [
            Route("/graphql", self.page, methods=["GET"]),
            Route("/graphql", self._graphql),
            WebSocketRoute("/graphql", self._graphql),
            Mount("/graphiql", StaticFiles(directory=DIST)),
        ]
        app = Starlette(routes=[Mount(self.prefix, routes=routes)])
        app.state.service = self
        return app

    async def page(self, _request: Request) -> HTMLResponse:
        """GraphiQL's page, with the strict policy."""
        return HTMLResponse(
            self._page, headers={"content-security-policy": CONTENT_SECURITY_POLICY}
        )


class Server(uvicorn.Server):
    """uvicorn in the test's own event loop; the signals stay pytest's."""

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serves on a free port of the loopback address; yields ``http://127.0.0.1:<port>``."""
    listener = socket.create_server(("127.0.0.1", 0))  # listens at once: early requests wait in it
    server = Server(uvicorn.Config(app, ws="websockets-sansio", log_level="warning"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
