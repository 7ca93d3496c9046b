"""Sends the requests of fetches: one request for identical queries in flight.

Two queries are identical when subgraph, body and every forwarded header are (those excepted that
only name the request: its id, its trace); then they share one request and its parsed answer, which
nobody changes. Mutations are never shared, nor is what has files. Cost: one look-up per fetch.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from router.executor.errors import ExecutionErrorCode, ProgramError
from router.executor.header_rules import apply_rules
from router.executor.traffic.client import SubgraphClient, TrafficObserver, Unobserved, timed_out
from router.executor.transport.base import SubgraphRequest, SubgraphTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.context import RequestContext
    from router.executor.outcome import FetchOutcome
    from router.executor.program import CompiledFetch
    from router.executor.settings import ExecutorSettings
    from router.executor.uploads import FilePart

__all__ = ["Fetcher", "forwarded_headers"]

_Key: TypeAlias = tuple[str, bytes, tuple[tuple[str, str], ...]]


def forwarded_headers(context: RequestContext) -> tuple[tuple[str, str], ...]:
    """Return the headers of a subgraph request made for a client request."""
    if context.request_id:
        named = (*context.trace_headers, ("x-request-id", context.request_id))
        return (*context.headers, *named)
    return (*context.headers, *context.trace_headers)


class Fetcher:
    """Sends requests to subgraphs; shared by all requests of an executor."""

    def __init__(
        self,
        transports: Mapping[str, SubgraphTransport],
        settings: ExecutorSettings,
        observer: TrafficObserver | None = None,
    ) -> None:
        self._clients = {
            name: SubgraphClient(
                name,
                transport,
                settings.policies.get(name, settings.policy),
                deadline_header=settings.deadline_header,
                observer=observer or Unobserved(),
            )
            for name, transport in transports.items()
        }
        self.masking = settings.masking
        self._header_rules = settings.header_rules
        self._deduplicate = settings.deduplicate
        self._in_flight: dict[_Key, asyncio.Future[FetchOutcome | None]] = {}

    @property
    def is_recorded(self) -> bool:
        """Whether somebody wants to see each fetch of the request that is being handled."""
        return False

    def transport(self, subgraph: str) -> SubgraphTransport:
        """Return the transport of a subgraph."""
        return self._client(subgraph).transport

    def _client(self, subgraph: str) -> SubgraphClient:
        client = self._clients.get(subgraph)
        if client is None:
            raise ProgramError(f"there is no transport for subgraph {subgraph!r}")
        return client

    def context_for(self, subgraph: str, context: RequestContext) -> RequestContext:
        """Return the context with the headers that a subgraph may have."""
        rules = self._header_rules.get(subgraph)
        if rules is None:
            return context
        return replace(context, headers=apply_rules(rules, context.headers))

    async def fetch(
        self,
        fetch: CompiledFetch,
        body: bytes,
        context: RequestContext,
        files: tuple[FilePart, ...] = (),
        entities: int = 0,
    ) -> FetchOutcome:
        """Return the outcome of one request; only cancellation and defects are raised.

        ``entities`` is how many the request asks for, for those who look on.
        """
        client = self._client(fetch.subgraph)
        context = self.context_for(fetch.subgraph, context)
        if not self._deduplicate or not fetch.is_query or files:
            request = _request(fetch, body, context, files)
            return await client.send(request, client.until(context.deadline))
        key = (fetch.subgraph, body, context.headers)
        while (running := self._in_flight.get(key)) is not None:
            shared = await _wait(running, client.until(context.deadline))
            if shared is not None:
                return shared
        return await self._lead(key, client, _request(fetch, body, context), context.deadline)

    async def _lead(
        self, key: _Key, client: SubgraphClient, request: SubgraphRequest, deadline: float | None
    ) -> FetchOutcome:
        """Send the request and share its outcome with those who ask the same meanwhile.

        Not an outcome that only this request's deadline or cancellation has made, nor one with a
        cookie, which is for one client: then another one takes over.
        """
        running: asyncio.Future[FetchOutcome | None] = asyncio.get_running_loop().create_future()
        self._in_flight[key] = running
        until = client.until(deadline)
        shared: FetchOutcome | None = None
        try:
            outcome = await client.send(request, until)
            if (until != deadline or not _is_timeout(outcome)) and not _sets_cookie(outcome):
                shared = outcome
            return outcome
        finally:
            del self._in_flight[key]
            running.set_result(shared)


def _request(
    fetch: CompiledFetch, body: bytes, context: RequestContext, files: tuple[FilePart, ...] = ()
) -> SubgraphRequest:
    headers = forwarded_headers(context)
    return SubgraphRequest(body=body, headers=headers, repeatable=fetch.is_query, files=files)


async def _wait(running: asyncio.Future[FetchOutcome | None], until: float) -> FetchOutcome | None:
    try:
        async with asyncio.timeout_at(until):
            return await asyncio.shield(running)
    except TimeoutError:
        return timed_out()


def _sets_cookie(outcome: FetchOutcome) -> bool:
    return any(name == "set-cookie" for name, _ in outcome.headers)


def _is_timeout(outcome: FetchOutcome) -> bool:
    failure = outcome.failure
    return failure is not None and failure.code is ExecutionErrorCode.SUBGRAPH_TIMEOUT
