"""Everything the router serves beside GraphQL: health, readiness, metrics, GraphiQL's files. Plain
Starlette.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router.server.graphiql import CONTENT_SECURITY_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from router.server.graphiql import GraphiQLAssets
    from router.server.readiness import Readiness
    from router.server.telemetry import Metrics

__all__ = ["graphiql_page", "make_endpoints"]

_FOR_EVER = "public, max-age=31536000, immutable"
_SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def make_endpoints(
    *,
    readiness: Readiness,
    is_draining: Callable[[], bool],
    metrics: Metrics,
    graphiql: GraphiQLAssets | None,
    graphiql_prefix: str,
) -> Starlette:
    """Return the application for all paths but the GraphQL one."""

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(request: Request) -> Response:
        if is_draining():
            return JSONResponse({"status": "stopping"}, HTTPStatus.SERVICE_UNAVAILABLE)
        report = await readiness.check()
        status = HTTPStatus.OK if report.ready else HTTPStatus.SERVICE_UNAVAILABLE
        word = "ready" if report.ready else "not ready"
        body = {
            "status": word,
            "subgraphs": report.subgraphs,
            "supergraph": readiness.supergraph(),
        }
        return JSONResponse(body, status)

    async def expose_metrics(request: Request) -> Response:
        return Response(metrics.expose(), headers={"content-type": CONTENT_TYPE_LATEST})

    async def asset(request: Request) -> Response:
        found = graphiql.find(request.path_params["name"]) if graphiql is not None else None
        if found is None:
            return Response("Not Found", HTTPStatus.NOT_FOUND, media_type="text/plain")
        headers = {
            **_SECURITY_HEADERS,
            "content-type": found.content_type,
            "cache-control": _FOR_EVER if found.immutable else "no-cache",
        }
        return Response(await run_in_threadpool(found.read), headers=headers)

    routes = [
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", expose_metrics),
    ]
    if graphiql is not None:
        routes.append(Route(f"{graphiql_prefix}/{{name}}", asset))
    return Starlette(routes=routes)


def graphiql_page(graphiql: GraphiQLAssets, if_none_match: str | None) -> Response:
    """Return GraphiQL's page; it names its assets with their hashes, so browsers ask whether it is
    still this one.
    """
    headers = {
        **_SECURITY_HEADERS,
        "cache-control": "no-cache",
        "etag": graphiql.page_etag,
        "vary": "accept",
    }
    if if_none_match == graphiql.page_etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(graphiql.page, headers=headers, media_type="text/html")
