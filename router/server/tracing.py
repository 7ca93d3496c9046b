"""OpenTelemetry: where spans go, and the span of a request.

A request is a server span; below it are the stages, and below ``execute`` the fetches
(``router.executor.fetch_tracing``). Where nothing collects spans there is no :class:`Tracing`, and
nothing of this runs.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from router.server.errors import RouterConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from opentelemetry.trace import Span, Tracer, TracerProvider
    from starlette.types import Message, Receive, Scope, Send

    from router.server.headers import RequestHeaders
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.settings import RouterSettings

__all__ = ["Tracing", "make_tracing", "operation_span", "stage_span"]

_PROPAGATOR = TraceContextTextMapPropagator()
_FIRST_ERROR_STATUS = 500
_NOBODY = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)


class Tracing:
    """Makes spans with one provider. ``is_own``: the provider ends with the router."""

    def __init__(self, provider: TracerProvider, *, is_own: bool = False) -> None:
        self.tracer: Tracer = provider.get_tracer("router")
        self._provider = provider
        self._is_own = is_own

    async def http(
        self,
        endpoint: Callable[[Scope, Receive, Send, RequestHeaders], Awaitable[None]],
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: RequestHeaders,
    ) -> None:
        """Answer a request within its span, a child of what ``traceparent`` names."""
        with self.tracer.start_as_current_span(
            f"{scope['method']} {scope['path']}",
            context=_PROPAGATOR.extract(_carrier(scope)),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope["method"],
                "url.path": scope["path"],
                "router.request_id": headers.request_id,
            },
            record_exception=False,
        ) as span:

            async def observed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= _FIRST_ERROR_STATUS:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await endpoint(scope, receive, observed, headers)

    async def aclose(self) -> None:
        """Send what is left, if the provider is the router's own."""
        if self._is_own:  # it waits for the collector: not on the event loop
            await asyncio.to_thread(self._provider.shutdown)  # type: ignore[attr-defined]


@contextmanager
def stage_span(tracer: Tracer | None, stage: str) -> Iterator[None]:
    """Make a span of a stage of the request whose span is current; nothing outside of one."""
    if tracer is None or not trace.get_current_span().is_recording():
        yield
        return
    with tracer.start_as_current_span(f"router.{stage}", record_exception=False):
        yield


@contextmanager
def operation_span(tracer: Tracer, prepared: PreparedOperation) -> Iterator[None]:
    """Tell the request's span which operation it is about; what came by WebSocket has none, and
    gets one.
    """
    span = trace.get_current_span()
    if span.get_span_context().is_valid:
        _name_operation(span, prepared)
        yield
        return
    with tracer.start_as_current_span(
        "graphql", kind=SpanKind.SERVER, record_exception=False
    ) as own:
        _name_operation(own, prepared)
        yield


def _name_operation(span: Span, prepared: PreparedOperation) -> None:
    if span.is_recording():
        kind = str(prepared.kind)
        span.update_name(kind if prepared.name is None else f"{kind} {prepared.name}")
        span.set_attribute("graphql.operation.type", kind)
        if prepared.name is not None:
            span.set_attribute("graphql.operation.name", prepared.name)


def make_tracing(
    settings: RouterSettings, provider: TracerProvider | None = None
) -> Tracing | None:
    """Return what makes spans: with ``provider``, else by the settings, else with the process's
    own provider; None where nothing collects them. Raises RouterConfigError.
    """
    if provider is not None:
        return Tracing(provider)
    if settings.otlp_endpoint is not None:
        return Tracing(_otlp_provider(settings, settings.otlp_endpoint), is_own=True)
    current = trace.get_tracer_provider()
    return None if isinstance(current, _NOBODY) else Tracing(current)


def _otlp_provider(settings: RouterSettings, endpoint: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError:
        raise RouterConfigError(
            "ROUTER_OTLP_ENDPOINT needs the packages opentelemetry-sdk and"
            " opentelemetry-exporter-otlp-proto-http"
        ) from None
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.trace_sample_ratio)),
        resource=Resource.create({"service.name": settings.service_name}),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider


def _carrier(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in {b"traceparent", b"tracestate"}
    }
