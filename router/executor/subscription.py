"""Subscriptions: the plan's first fetch is the source; every event runs the rest of the plan.

One event at a time: the next one is taken from the source when the result of the last has been
taken, so order holds and a slow client slows its own source only. What waits meanwhile is bounded
by the transport.
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
from router.executor.transport.base import SubgraphRequest, SubscriptionError, SubscriptionFailure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from router.executor.program import CompiledFetch, Program, Variant

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
    error_extensions: frozenset[str],
) -> AsyncGenerator[ExecutionResult, None]:
    """Yield a result for each event; see ``Executor.subscribe``."""
    variant = program.variant(variables)
    context = replace(context, deadline=None)  # of the request that subscribed: not of its events
    if not variant.fetches:
        raise ProgramError("the plan of a subscription has no fetch")

    def execution() -> Execution:
        return Execution(fetcher, variant, variables, context, error_extensions)

    async def on_event(source: FetchOutcome) -> ExecutionResult:
        event = execution()
        await event.run_after(source)
        return event.result()

    subgraph = variant.fetches[0].subgraph
    request = _request(variant.fetches[0], variables, fetcher.context_for(subgraph, context))
    transport = fetcher.transport(subgraph)
    try:
        async with aclosing(transport.subscribe(request)) as payloads:
            async for payload in payloads:
                yield await on_event(read_payload(payload))
    except SubscriptionError as error:
        if error.errors:  # map them as if they had come with an event
            outcome = FetchOutcome(errors=tuple(error.errors))
            yield ExecutionResult(None, (await on_event(outcome)).errors)
        else:
            yield ExecutionResult(None, [_failure(variant, error)])


def _request(
    fetch: CompiledFetch, variables: Mapping[str, Json], context: RequestContext
) -> SubgraphRequest:
    passed = {name: variables[name] for name in fetch.node.variables if name in variables}
    body = fetch.head + b',"variables":' + orjson.dumps(passed) + b"}"
    payload = dict(context.connection_params or {})
    payload.update((name.lower(), value) for name, value in context.headers)
    return SubgraphRequest(body=body, headers=forwarded_headers(context), connection_init=payload)


def _failure(variant: Variant, error: SubscriptionError) -> ErrorDict:
    root_key = next(iter(variant.keys), None)
    return {
        "message": str(error),
        "path": [root_key],
        "extensions": {
            "code": _CODES[error.failure],
            "service": variant.fetches[0].subgraph,
        },
    }
