"""Stage 7, execute: run a prepared operation in the executor, within the request's deadline."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any

from router.executor import RequestContext
from router.server.tracing import operation_span

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from router.executor import ExecutionResult, PartialResult
    from router.server.access.identity import Identity
    from router.server.generation import Generation
    from router.server.headers import ForwardedHeaders
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.response_headers import CollectedHeaders

__all__ = ["deliver", "execute", "request_context"]

_TRACE_HEADERS = frozenset({"traceparent", "tracestate"})  # W3C Trace Context


def request_context(
    *,
    headers: ForwardedHeaders,
    request_id: str,
    timeout: float | None,
    debug: bool,
    has_uploads: bool = False,
    identity: Identity | None = None,
    collected: CollectedHeaders | None = None,
) -> RequestContext:
    """Return what the executor needs to know of a request; ``timeout`` in seconds from now, None
    for a subscription. ``collected`` takes the headers of answers.
    """
    deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
    trace = tuple([header for header in headers if header[0] in _TRACE_HEADERS])
    return RequestContext(
        headers=tuple([header for header in headers if header not in trace]) if trace else headers,
        trace_headers=trace,
        request_id=request_id,
        deadline=deadline,
        collect_extensions=debug,
        has_uploads=has_uploads,
        subject=None if identity is None else identity.subject,
        claims=None if identity is None else identity.claims,
        expires_at=None if identity is None else identity.expires_at,
        response_headers=collected,
    )


async def execute(
    generation: Generation,
    prepared: PreparedOperation,
    variables: dict[str, Any],
    context: RequestContext,
) -> ExecutionResult:
    """Run a query or mutation. Errors of fields are in the result; what is raised is unexpected."""
    metrics = generation.metrics
    if metrics.tracer is not None:
        with operation_span(metrics.tracer, prepared), metrics.timed("execute"):
            return await generation.executor.execute(prepared.program, variables, context)
    started = perf_counter()
    try:
        return await generation.executor.execute(prepared.program, variables, context)
    finally:
        metrics.stage("execute", perf_counter() - started)


async def deliver(
    generation: Generation,
    prepared: PreparedOperation,
    variables: dict[str, Any],
    context: RequestContext,
) -> AsyncGenerator[PartialResult, None]:
    """Run a query or mutation that is answered in parts; yield these as they get ready."""
    metrics = generation.metrics
    tracer = metrics.tracer
    span = nullcontext() if tracer is None else operation_span(tracer, prepared)
    results = generation.executor.deliver(prepared.program, variables, context)
    with span, metrics.timed("execute"):
        async with aclosing(results):
            async for result in results:
                yield result
