"""Spans of requests, stages and fetches, and what is passed on of a trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import copy_context
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.typing import EventDict
from typing_extensions import override

from router.executor.transport.base import SubgraphRequest, SubgraphResponse, TransportError
from router.server import log_context
from router.server.app import create_router_app
from router.server.headers import HeaderReader
from router.server.settings import RouterSettings
from router.server.tracing import make_tracing
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@asynccontextmanager
async def traced(
    exporter: InMemorySpanExporter, things: ThingsSubgraph
) -> AsyncIterator[httpx.AsyncClient]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = RouterSettings.model_validate({"environment": "test", "access_log": False})
    app = create_router_app(
        settings, SUPERGRAPH, transports={"things": things}, tracer_provider=provider
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client
    await app.aclose()
    provider.shutdown()


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def span_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_id(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"{span.parent.span_id:016x}"


async def test_a_request_is_a_span_with_its_stages_and_fetches_below(
    exporter: InMemorySpanExporter,
) -> None:
    things = ThingsSubgraph()
    async with traced(exporter, things) as client:
        await client.post(
            "/graphql",
            json={"query": "query Hello { greeting }"},
            headers={"traceparent": PARENT, "x-request-id": "r1"},
        )

    spans = by_name(exporter)
    assert set(spans) == {
        "query Hello",
        "router.parse",
        "router.limits",
        "router.validate",
        "router.plan",
        "router.compile",
        "router.execute",
        "fetch things",
    }
    server, fetch = spans["query Hello"], spans["fetch things"]
    assert {span.context.trace_id for span in spans.values() if span.context} == {int(TRACE, 16)}
    assert parent_id(server) == "b7ad6b7169203331"
    assert server.kind is SpanKind.SERVER
    assert dict(server.attributes or {}) == {
        "http.request.method": "POST",
        "url.path": "/graphql",
        "router.request_id": "r1",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Hello",
        "http.response.status_code": 200,
    }
    for stage in ("parse", "validate", "plan", "compile", "execute"):
        assert parent_id(spans[f"router.{stage}"]) == span_id(server)
    assert parent_id(fetch) == span_id(spans["router.execute"])
    assert fetch.kind is SpanKind.CLIENT
    attributes = dict(fetch.attributes or {})
    assert attributes["router.subgraph"] == "things"
    assert attributes["http.response.status_code"] == 200
    headers = dict(things.requests[0].headers)
    assert headers["traceparent"] == f"00-{TRACE}-{span_id(fetch)}-01"


async def test_failures_are_on_the_spans(exporter: InMemorySpanExporter) -> None:
    class Gone(ThingsSubgraph):
        @override
        async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
            raise TransportError("The subgraph cannot be reached.")

    async with traced(exporter, Gone()) as client:
        await client.post("/graphql", json={"query": "{ failing }"})

    fetch = by_name(exporter)["fetch things"]
    assert fetch.status.status_code is StatusCode.ERROR
    assert dict(fetch.attributes or {})["error.type"] == "SUBREQUEST_HTTP_ERROR"


async def test_errors_of_a_subgraph_are_counted(exporter: InMemorySpanExporter) -> None:
    async with traced(exporter, ThingsSubgraph()) as client:
        await client.post("/graphql", json={"query": "{ failing }"})

    fetch = by_name(exporter)["fetch things"]
    assert fetch.status.status_code is StatusCode.ERROR
    assert dict(fetch.attributes or {})["router.fetch.errors"] == 1


async def test_a_shared_fetch_is_a_span_in_each_trace(exporter: InMemorySpanExporter) -> None:
    things = ThingsSubgraph()
    async with traced(exporter, things) as client:
        asking = [
            asyncio.create_task(client.post("/graphql", json={"query": "{ slow }"}))
            for _ in range(2)
        ]
        await things.started.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        things.release.set()
        await asyncio.gather(*asking)

    assert len(things.requests) == 1
    fetches = [span for span in exporter.get_finished_spans() if span.name == "fetch things"]
    assert len({span.context.trace_id for span in fetches if span.context}) == 2


async def test_without_tracing_the_trace_headers_pass_and_keep_no_queries_apart() -> None:
    things = ThingsSubgraph()
    settings = RouterSettings.model_validate({"environment": "test", "access_log": False})
    app = create_router_app(settings, SUPERGRAPH, transports={"things": things})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        asking = [
            asyncio.create_task(
                client.post("/graphql", json={"query": "{ slow }"}, headers={"traceparent": parent})
            )
            for parent in (PARENT, PARENT.replace("b7", "c7"))
        ]
        await things.started.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        things.release.set()
        await asyncio.gather(*asking)
    await app.aclose()

    assert [dict(request.headers)["traceparent"] for request in things.requests] == [PARENT]


def test_there_is_no_tracing_unless_somebody_collects() -> None:
    assert make_tracing(RouterSettings()) is None


@pytest.fixture
def collector() -> Iterator[tuple[str, list[str]]]:
    """The address of a collector, and the paths that were posted to."""
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", posted
    server.shutdown()
    thread.join()
    server.server_close()


async def test_spans_reach_the_collector_before_the_router_ends(
    collector: tuple[str, list[str]],
) -> None:
    endpoint, posted = collector
    settings = RouterSettings.model_validate({"environment": "test", "otlp_endpoint": endpoint})
    app = create_router_app(settings, SUPERGRAPH, transports={"things": ThingsSubgraph()})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        await client.post("/graphql", json={"query": "{ greeting }"})

    await app.aclose()

    assert posted == ["/v1/traces"]


@pytest.mark.parametrize(
    ("parent", "trace"),
    [(PARENT, TRACE), ("00-zz-b7ad6b7169203331-01", None), ("", None), (None, None)],
)
def test_log_lines_have_request_and_trace(parent: str | None, trace: str | None) -> None:
    raw = [(b"x-request-id", b"r1")]
    if parent is not None:
        raw.append((b"traceparent", parent.encode()))

    def log() -> EventDict:
        log_context.enter(HeaderReader(RouterSettings()).read(raw))
        return log_context.add_ids(None, "info", {"event": "x"})

    event = copy_context().run(log)

    assert event == {"event": "x", "request_id": "r1"} | ({"trace_id": trace} if trace else {})
