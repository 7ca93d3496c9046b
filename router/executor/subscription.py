"""Subscriptions: the plan's first fetch is the source; every event runs the rest of the plan.

One event at a time: the next one is taken from the source when the result of the last has been
taken, so order holds and a slow client slows its own source only. What waits meanwhile is bounded
by the transport; what is lost with a connection, ``resuming`` gets again.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from router.executor.context import ErrorDict, ExecutionResult, Json, RequestContext
from router.executor.errors import ExecutionErrorCode, ProgramError
from router.executor.execution import Execution
from router.executor.fetcher import Fetcher, forwarded_headers
from router.executor.outcome import FetchOutcome
from router.executor.responses import read_payload
from router.executor.resuming import GAP, ResumingSource
from router.executor.transport.base import SubgraphRequest, SubscriptionError, SubscriptionFailure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from router.executor.program import CompiledFetch, Program, Variant
    from router.executor.resumption import Resumption
    from router.executor.settings import ExecutorSettings

__all__ = ["subscription_results"]

_CODES = {
    SubscriptionFailure.REFUSED: ExecutionErrorCode.SUBSCRIPTION_REFUSED,
    SubscriptionFailure.LOST: ExecutionErrorCode.SUBSCRIPTION_CONNECTION_LOST,
    SubscriptionFailure.OVERFLOW: ExecutionErrorCode.SUBSCRIPTION_OVERFLOW,
    SubscriptionFailure.REJECTED: ExecutionErrorCode.DOWNSTREAM_SERVICE_ERROR,
}


async def subscription_results(
    fetcher: Fetcher,
    program: Program,
    variables: Mapping[str, Json],
    context: RequestContext,
    settings: ExecutorSettings,
) -> AsyncGenerator[ExecutionResult, None]:
    """Yield a result for each event; see ``Executor.subscribe``."""
    variant = program.variant(variables)
    context = replace(context, deadline=None)  # of the request that subscribed: not of its events
    if not variant.fetches:
        raise ProgramError("the plan of a subscription has no fetch")
    source = _source(fetcher, variant, variables, context, settings)

    async def on_event(outcome: FetchOutcome) -> ExecutionResult:
        event = Execution(fetcher, variant, variables, context, settings.error_extensions)
        await event.run_after(outcome)
        return event.result()

    try:
        async with aclosing(source.events()) as payloads:
            async for payload in payloads:
                if payload is GAP:
                    yield ExecutionResult(None, [_gap(variant)])
                else:
                    yield await on_event(read_payload(payload))
    except SubscriptionError as error:
        if error.errors:  # map them as if they had come with an event
            outcome = FetchOutcome(errors=tuple(error.errors))
            yield ExecutionResult(None, (await on_event(outcome)).errors, is_end=True)
        else:
            told = _error(variant, _CODES[error.failure], str(error))
            yield ExecutionResult(None, [told], is_end=True)


def _source(
    fetcher: Fetcher,
    variant: Variant,
    variables: Mapping[str, Json],
    context: RequestContext,
    settings: ExecutorSettings,
) -> ResumingSource:
    fetch = variant.fetches[0]
    passed = {name: variables[name] for name in fetch.node.variables if name in variables}
    resumption = variant.resumption(settings.cursors)
    context = fetcher.context_for(fetch.subgraph, context)
    request = _request(fetch, resumption, passed, context, settings)
    transport = fetcher.transport(fetch.subgraph)
    return ResumingSource(transport, request, resumption, passed, settings)


def _request(
    fetch: CompiledFetch,
    resumption: Resumption | None,
    variables: Mapping[str, Json],
    context: RequestContext,
    settings: ExecutorSettings,
) -> SubgraphRequest:
    head = fetch.head if resumption is None else resumption.head
    payload = dict(context.connection_params or {})
    for name, value in context.headers:
        if name.lower() not in settings.ignored_headers:
            payload[name.lower()] = value
    return SubgraphRequest(
        body=head + b',"variables":' + orjson.dumps(variables) + b"}",
        headers=forwarded_headers(context),
        connection_init=payload,
    )


def _gap(variant: Variant) -> ErrorDict:
    return _error(
        variant,
        ExecutionErrorCode.SUBSCRIPTION_GAP,
        "The connection to the subgraph was lost for a while: events may be missing here.",
    )


def _error(variant: Variant, code: ExecutionErrorCode, message: str) -> ErrorDict:
    return {
        "message": message,
        "path": [next(iter(variant.keys), None)],
        "extensions": {"code": code, "service": variant.fetches[0].subgraph},
    }
