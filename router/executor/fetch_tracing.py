"""Spans of fetches, by the OpenTelemetry API.

Their parent is whatever span is current, that of the ``execute`` stage in the server. The subgraph
is given the fetch's own span as its parent (W3C Trace Context), so that its spans hang below.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from router.executor.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span, Tracer

    from router.executor.context import RequestContext
    from router.executor.outcome import FetchOutcome
    from router.executor.program import CompiledFetch
    from router.executor.settings import ExecutorSettings
    from router.executor.traffic import TrafficObserver
    from router.executor.transport.base import SubgraphTransport
    from router.executor.uploads import FilePart

__all__ = ["TracedFetcher"]

_PROPAGATOR = TraceContextTextMapPropagator()


class TracedFetcher(Fetcher):
    """A fetcher with a span for each fetch, also for one that shares another's answer."""

    def __init__(
        self,
        transports: Mapping[str, SubgraphTransport],
        settings: ExecutorSettings,
        observer: TrafficObserver | None,
        tracer: Tracer,
    ) -> None:
        super().__init__(transports, settings, observer)
        self._tracer = tracer

    @property
    @override
    def is_recorded(self) -> bool:
        """Whether the request's trace is sampled: then it has a span for each fetch."""
        return get_current_span().is_recording()

    @override
    async def fetch(
        self,
        fetch: CompiledFetch,
        body: bytes,
        context: RequestContext,
        files: tuple[FilePart, ...] = (),
        entities: int = 0,
    ) -> FetchOutcome:
        """Return the outcome of one request within its span."""
        with self._tracer.start_as_current_span(
            f"fetch {fetch.subgraph}",
            kind=SpanKind.CLIENT,
            attributes=_attributes(fetch, entities),
            record_exception=False,
        ) as span:
            carrier: dict[str, str] = {}
            _PROPAGATOR.inject(carrier)
            context = replace(context, trace_headers=tuple(carrier.items()))
            outcome = await super().fetch(fetch, body, context, files, entities)
            _add_outcome(span, outcome)
            return outcome


def _attributes(fetch: CompiledFetch, entities: int) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "router.subgraph": fetch.subgraph,
        "router.fetch.id": fetch.node.id,
        "graphql.operation.type": str(fetch.node.kind),
    }
    if fetch.calls:
        attributes["router.fetch.entities"] = entities
    if fetch.node.operation_name is not None:
        attributes["graphql.operation.name"] = fetch.node.operation_name
    return attributes


def _add_outcome(span: Span, outcome: FetchOutcome) -> None:
    if not span.is_recording():
        return
    if outcome.status:
        span.set_attribute("http.response.status_code", outcome.status)
    if outcome.errors:
        span.set_attribute("router.fetch.errors", len(outcome.errors))
    if outcome.failure is not None:
        span.set_attribute("error.type", str(outcome.failure.code))
        span.set_status(StatusCode.ERROR, outcome.failure.message)
    elif outcome.errors:
        span.set_status(StatusCode.ERROR)
