"""The ASGI application around a subgraph's GraphQL endpoint: routes, request identity, body limit,
lifespan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from shared.graphql.body_limit import BodyLimitMiddleware
from shared.telemetry import RequestContextMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from shared.graphql.view import SubgraphView

__all__ = ["create_application"]

_MAX_BODY_BYTES = 4 * 1024 * 1024


def create_application(
    view: SubgraphView,
    *,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """An application with ``/graphql`` (POST and WebSocket), ``/health``, ``/metrics`` and
    ``routes``.
    """
    return Starlette(
        routes=[
            Route("/graphql", view, methods=["POST"]),
            WebSocketRoute("/graphql", view),
            Route("/health", _health),
            Route("/metrics", _metrics),
            *routes,
        ],
        middleware=[
            Middleware(RequestContextMiddleware),
            Middleware(BodyLimitMiddleware, limit=_MAX_BODY_BYTES),
        ],
        lifespan=lifespan,
    )


async def _health(_: Request) -> Response:
    """The process is alive and serving; says nothing of its shards, whose loss it survives."""
    return JSONResponse({"status": "ok"})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
