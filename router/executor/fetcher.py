"""Sends the requests of fetches: time limits, and one request for identical queries in flight.

Two queries are identical when subgraph, body and every forwarded header are; then they share one
request and its parsed answer, which nobody changes. Mutations are never shared. Cost: one look-up
per fetch.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from router.executor.errors import ExecutionErrorCode, ProgramError
from router.executor.outcome import FetchFailure, FetchOutcome
from router.executor.responses import read_response
from router.executor.transport.base import SubgraphRequest, SubgraphTransport, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.context import RequestContext
    from router.executor.program import CompiledFetch
    from router.executor.settings import ExecutorSettings

__all__ = ["Fetcher", "forwarded_headers"]

_Key: TypeAlias = tuple[str, bytes, tuple[tuple[str, str], ...]]


def forwarded_headers(context: RequestContext) -> tuple[tuple[str, str], ...]:
    """Return the headers of a subgraph request made for a client request."""
    if context.request_id:
        return (*context.headers, ("x-request-id", context.request_id))
    return context.headers


class Fetcher:
    """Sends requests to subgraphs; shared by all requests of an executor."""

    def __init__(
        self, transports: Mapping[str, SubgraphTransport], settings: ExecutorSettings
    ) -> None:
        self._transports = transports
        self._settings = settings
        self._in_flight: dict[_Key, asyncio.Future[FetchOutcome | None]] = {}

    def transport(self, subgraph: str) -> SubgraphTransport:
        """Return the transport of a subgraph."""
        transport = self._transports.get(subgraph)
        if transport is None:
            raise ProgramError(f"there is no transport for subgraph {subgraph!r}")
        return transport

    async def fetch(
        self, fetch: CompiledFetch, body: bytes, context: RequestContext
    ) -> FetchOutcome:
        """Return the outcome of one request; only cancellation and defects are raised."""
        if not self._settings.deduplicate or not fetch.is_query:
            return await self._send(fetch, body, context, self._until(fetch.subgraph, context))
        key = (fetch.subgraph, body, context.headers)
        while (running := self._in_flight.get(key)) is not None:
            shared = await self._wait(running, fetch.subgraph, context)
            if shared is not None:
                return shared
        return await self._lead(key, fetch, context)

    async def _lead(self, key: _Key, fetch: CompiledFetch, context: RequestContext) -> FetchOutcome:
        """Send the request and share its outcome with those who ask the same meanwhile.

        Not an outcome that only this request's deadline or cancellation has made: then another
        one takes over.
        """
        running: asyncio.Future[FetchOutcome | None] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = running
        until = self._until(fetch.subgraph, context)
        shared: FetchOutcome | None = None
        try:
            outcome = await self._send(fetch, key[1], context, until)
            if until != context.deadline or not _is_timeout(outcome):
                shared = outcome
            return outcome
        finally:
            del self._in_flight[key]
            running.set_result(shared)

    async def _wait(
        self,
        running: asyncio.Future[FetchOutcome | None],
        subgraph: str,
        context: RequestContext,
    ) -> FetchOutcome | None:
        try:
            async with asyncio.timeout_at(self._until(subgraph, context)):
                return await asyncio.shield(running)
        except TimeoutError:
            return _timed_out()

    async def _send(
        self, fetch: CompiledFetch, body: bytes, context: RequestContext, until: float
    ) -> FetchOutcome:
        request = SubgraphRequest(
            body=body, headers=forwarded_headers(context), repeatable=fetch.is_query
        )
        try:
            async with asyncio.timeout_at(until):
                response = await self.transport(fetch.subgraph).execute(request)
        except TimeoutError:
            return _timed_out()
        except TransportError as error:
            code = ExecutionErrorCode.SUBREQUEST_HTTP_ERROR
            return FetchOutcome(failure=FetchFailure(code, str(error)))
        return read_response(response)

    def _until(self, subgraph: str, context: RequestContext) -> float:
        """Return the loop time at which a request that is sent now has failed."""
        limit = asyncio.get_running_loop().time() + self._settings.timeout_of(subgraph)
        return limit if context.deadline is None else min(limit, context.deadline)


def _is_timeout(outcome: FetchOutcome) -> bool:
    failure = outcome.failure
    return failure is not None and failure.code is ExecutionErrorCode.SUBGRAPH_TIMEOUT


def _timed_out() -> FetchOutcome:
    failure = FetchFailure(
        ExecutionErrorCode.SUBGRAPH_TIMEOUT, "The subgraph did not answer in time."
    )
    return FetchOutcome(failure=failure)
