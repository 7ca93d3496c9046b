"""Reload a router again and again under traffic, in one process.

``python -m benchmarks.reload [--reloads 100] [--types 100]``

Two versions of a synthetic supergraph take turns. Clients ask all the time, and a heartbeat that
wants to run every millisecond tells for how long it could not: that is what any request beside the
reload would have waited. Before the reloads the same is measured without them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import orjson
import structlog
import uvloop

from benchmarks.planner.queries import sized_query
from benchmarks.planner.synthetic import synthetic_subgraphs
from router.composition import compose
from router.executor.transport.base import SubgraphRequest, SubgraphResponse
from router.server.app import RouterApp, create_router_app
from router.server.background import collect_for_good
from router.server.settings import RouterSettings
from router.supergraph import load_supergraph

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from router.executor.context import JsonObject

_HEARTBEAT = 0.001
_FIELDS = 40  # per operation
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1_000_000
_FINE = 20.0  # ms; longer ones are counted by the millisecond


class EmptySubgraph:
    """Answers everything with nothing, at once: only the router is measured."""

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        return SubgraphResponse(200, b'{"data":null}')

    async def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject, None]:
        yield {}

    async def aclose(self) -> None:
        pass


@dataclass
class Lag:
    """By how much the heartbeat came late, in milliseconds; in the same memory however often."""

    counts: Counter[float] = field(default_factory=Counter)  # lateness to 0.01 ms -> how often
    longest: float = 0.0
    answers: int = 0

    def add(self, late: float) -> None:
        self.counts[round(late, 2) if late < _FINE else round(late)] += 1
        self.longest = max(self.longest, late)

    def text(self) -> str:
        return (
            f"median {self._quantile(0.5):.2f}, p99 {self._quantile(0.99):.2f}, "
            f"longest {self.longest:.1f}"
        )

    def _quantile(self, share: float) -> float:
        left = share * self.counts.total()
        for late, count in sorted(self.counts.items()):
            left -= count
            if left <= 0:
                return late
        return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--types", type=int, default=100, help="of the synthetic supergraph")
    parser.add_argument("--subgraphs", type=int, default=10)
    parser.add_argument("--operations", type=int, default=50, help="that are hot")
    parser.add_argument("--pause", type=float, default=0.6, help="seconds between reloads")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    composed = compose(synthetic_subgraphs(options.subgraphs, options.types))
    assert composed.supergraph_sdl is not None
    sdls = [composed.supergraph_sdl, composed.supergraph_sdl + "\n"]
    supergraph = load_supergraph(sdls[0])
    queries = [
        sized_query(supergraph.api_schema, seed, _FIELDS) for seed in range(options.operations)
    ]
    transports = dict.fromkeys(supergraph.subgraphs, EmptySubgraph())
    del supergraph, composed
    settings = RouterSettings(environment="production", access_log=False)
    app = create_router_app(settings, sdls[0], transports=transports, own_process=True)
    for query in queries:
        await _ask(app, query)
    collect_for_good()
    print(f"supergraph of {len(sdls[0]) / _MB:.2f} MB, {len(queries)} hot operations")
    async with _traffic(app, queries) as idle:
        await asyncio.sleep(3)
    print(f"without reloads: loop late by ms: {idle.text()}; {idle.answers / 3:.0f} answers/s")
    seconds, memory = [], [_resident()]
    started = perf_counter()
    async with _traffic(app, queries) as busy:
        for number in range(1, options.reloads + 1):
            before = perf_counter()
            await app.reload(sdls[number % 2])
            seconds.append(perf_counter() - before)
            await asyncio.sleep(options.pause)  # the old generation is closed and collected
            memory.append(_resident())
    rate = busy.answers / (perf_counter() - started)
    print(f"while reloading: loop late by ms: {busy.text()}; {rate:.0f} answers/s")
    print(f"a reload takes s: median {median(seconds):.2f}, longest {max(seconds):.2f}")
    marks = sorted(
        {0, 1, 2, 5, 10, 20, 50, 100, 150, 200, options.reloads} & set(range(len(memory)))
    )
    print("resident MB after reloads:", {mark: round(memory[mark] / _MB, 1) for mark in marks})
    await app.aclose()


@asynccontextmanager
async def _traffic(app: RouterApp, queries: list[str]) -> AsyncIterator[Lag]:
    lag = Lag()

    async def beat() -> None:
        while True:
            due = perf_counter() + _HEARTBEAT
            await asyncio.sleep(_HEARTBEAT)
            lag.add(max(perf_counter() - due, 0.0) * 1000)

    async def client() -> None:
        while True:
            for query in queries:
                await _ask(app, query)
                lag.answers += 1
                await asyncio.sleep(0.005)

    tasks = [asyncio.create_task(work) for work in (beat(), client(), client())]
    try:
        yield lag
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(app: RouterApp, query: str) -> None:
    body = orjson.dumps({"query": query})
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    messages: list[dict[str, object]] = [{"type": "http.request", "body": body}]

    async def receive() -> dict[str, object]:
        if not messages:
            await (
                asyncio.Event().wait()
            )  # as a server: until the client disconnects, which is never
        return messages.pop()

    async def send(message: object) -> None:
        pass

    await app(scope, receive, send)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


if __name__ == "__main__":
    main()
