"""``python -m benchmarks.router``: CPU time per request of ``python -m router serve``.

The same load goes to the router, with and without de-duplication, and to a bare uvicorn that
answers as many bytes: the floor. The servers alternate round by round; of the rounds the lowest
counts, as a busy machine only ever adds CPU time. Reports, asserts nothing but right answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from benchmarks.executor.shop import HEAVY, shop_subgraphs
from benchmarks.router.cold import cold_milliseconds
from benchmarks.router.processes import free_port, load, resident_mb, running
from benchmarks.router.report import FLOOR, Cell, Cells, Options, Result, as_markdown
from router.composition import SubgraphInput, compose

RESULTS = Path(__file__).parents[1] / "results" / "router.md"
LIGHT = "query Light { bestsellers { sku title cents grams ratings { id article { sku } } } }"
QUERIES = {"heavy": HEAVY, "light": LIGHT}
ROUTERS = {
    "router": {"ROUTER_DEDUPLICATE": "true"},
    "router, de-duplication off": {"ROUTER_DEDUPLICATE": "false"},
}
_ENVIRONMENT = {"ROUTER_ENVIRONMENT": "production", "ROUTER_ACCESS_LOG": "false"}
_LONG_RUN = "router, de-duplication off"


def supergraph_of(port: int) -> str:
    """Return the shop's supergraph, with its subgraphs on one port."""
    composed = compose(
        [
            SubgraphInput(one.name, f"http://127.0.0.1:{port}/{one.name}", one.sdl)
            for one in shop_subgraphs()
        ]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    return composed.supergraph_sdl


def answer_size(url: str, query: str) -> int:
    """Ask once and return the size of the answer, which must have no errors."""
    body = json.dumps({"query": query}).encode()
    with urlopen(Request(url, body, {"content-type": "application/json"})) as response:  # noqa: S310 - our own server
        answer = response.read()
    assert "errors" not in json.loads(answer), answer[:500]
    return len(answer)


class Bench:
    """The servers, started when they are measured for the first time, and what was measured."""

    def __init__(self, options: Options, supergraph: Path, stack: AsyncExitStack) -> None:
        self._options = options
        self._supergraph = supergraph
        self._stack = stack
        self._servers: dict[tuple[str, str], tuple[str, int]] = {}
        self.sizes: dict[str, int] = {}
        self.cells: Cells = {}

    async def measure(self, query: str, server: str) -> None:
        """Add one round."""
        options = self._options
        url, pid = await self._server(query, server)
        measured, cpu_ms = await load(
            url,
            QUERIES[query],
            pid,
            connections=options.connections,
            warm_up=options.warm_up,
            seconds=options.seconds,
        )
        cell = Cell(cpu_ms, measured.rate, measured.p50, measured.p99)
        self.cells.setdefault((query, server), []).append(cell)
        print(f"{query:6} {server:28} {cpu_ms:.3f} CPU ms/request", file=sys.stderr, flush=True)

    async def memory(self) -> tuple[float, ...]:
        """Load a fresh worker for long, and look at its memory."""
        url, pid = await self._start_router(ROUTERS[_LONG_RUN])
        values = [resident_mb(pid)]
        for seconds in (self._options.warm_up, *[self._options.memory / 3] * 3):
            await load(
                url,
                HEAVY,
                pid,
                connections=self._options.connections,
                warm_up=0.0,
                seconds=seconds,
            )
            values.append(resident_mb(pid))
        return tuple(values)

    async def _server(self, query: str, server: str) -> tuple[str, int]:
        key = (query, server) if server == FLOOR else ("", server)
        if key not in self._servers:
            self._servers[key] = await (
                self._start_floor(query) if server == FLOOR else self._start_router(ROUTERS[server])
            )
        url, pid = self._servers[key]
        if server != FLOOR:
            self.sizes[query] = await asyncio.to_thread(answer_size, url, QUERIES[query])
        return url, pid

    async def _start_router(self, environment: dict[str, str]) -> tuple[str, int]:
        port = free_port()
        command = ("router", "serve", "--supergraph", str(self._supergraph), "--port", str(port))
        router = running(*command, port=port, environment={**_ENVIRONMENT, **environment})
        return f"http://127.0.0.1:{port}/graphql", await self._stack.enter_async_context(router)

    async def _start_floor(self, query: str) -> tuple[str, int]:
        port = free_port()
        size = str(self.sizes[query])
        command = ("benchmarks.router.servers", "floor", "--port", str(port), "--size", size)
        floor = running(*command, port=port)
        return f"http://127.0.0.1:{port}/graphql", await self._stack.enter_async_context(floor)


async def run(options: Options) -> str:
    """Measure everything; the report."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="router-bench-")))
        port = free_port()
        sdl = supergraph_of(port)
        supergraph = folder / "supergraph.graphql"
        supergraph.write_text(sdl)
        subgraphs = ("benchmarks.router.servers", "subgraphs", "--port", str(port))
        await stack.enter_async_context(running(*subgraphs, port=port))
        bench = Bench(options, supergraph, stack)
        for _ in range(options.rounds):
            for query in QUERIES:
                for server in (*ROUTERS, FLOOR):
                    await bench.measure(query, server)
        memory = await bench.memory() if options.memory else ()
    cold = cold_milliseconds(sdl)
    return as_markdown(options, Result(bench.cells, bench.sizes, cold, memory))


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(prog="benchmarks.router")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--memory", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--quick", action="store_true", help="a short run that keeps no result")
    given = parser.parse_args()
    options = Options(
        rounds=1 if given.quick else given.rounds,
        seconds=1.0 if given.quick else given.seconds,
        warm_up=0.5 if given.quick else given.warm_up,
        connections=given.connections,
        memory=0.0 if given.quick else given.memory,
    )
    text = asyncio.run(run(options))
    print(text)
    if not given.quick:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
