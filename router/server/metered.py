"""Counts and times a subgraph's requests, whatever transport carries them."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from prometheus_client import Counter

    from router.executor.context import JsonObject
    from router.executor.transport.base import SubgraphRequest, SubgraphResponse, SubgraphTransport
    from router.server.telemetry import Metrics

__all__ = ["MeteredTransport"]


class MeteredTransport:
    """A transport that tells the metrics what came of each request."""

    def __init__(self, transport: SubgraphTransport, subgraph: str, metrics: Metrics) -> None:
        self._transport = transport
        self._subgraph = subgraph
        self._requests = metrics.subgraphs.requests
        self._seconds = metrics.subgraphs.seconds.labels(subgraph)
        self._counters: dict[str, Counter] = {}

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        started = perf_counter()
        code = "error"
        try:
            response = await self._transport.execute(request)
            code = str(response.status)
        except asyncio.CancelledError:
            code = "cancelled"  # the deadline passed, or the client went away
            raise
        finally:
            self._seconds.observe(perf_counter() - started)
            self._count(code)
        return response

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject | None, None]:
        self._count("subscribe")
        return self._transport.subscribe(request)

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _count(self, code: str) -> None:
        counter = self._counters.get(code)
        if counter is None:
            counter = self._counters[code] = self._requests.labels(self._subgraph, code)
        counter.inc()
