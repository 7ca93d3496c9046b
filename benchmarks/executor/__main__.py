"""``python -m benchmarks.executor``: CPU time of the executor for a large answer.

Subgraphs answer instantly with bytes remembered from a first run, so what is measured is the
router's own work: collecting representations, requests, parsing, joining, projecting; no HTTP.
Reports, asserts nothing.
"""

from __future__ import annotations

import asyncio
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import orjson
from graphql import OperationDefinitionNode, parse
from graphql.utilities import get_operation_ast

from benchmarks.executor.shop import HEAVY, shop_subgraphs
from router.executor import (
    Executor,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    compile_program,
)
from router.executor.execution import Execution
from router.executor.fetcher import Fetcher
from router.executor.response_errors import ErrorLog
from router.executor.settings import ExecutorSettings
from router.executor.transport import AsgiTransport
from router.planner import Planner
from tests.federation.harness.run import compose_subgraphs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from router.executor.answers import Answers
    from router.executor.program import Variant

_ROUNDS = 7
_REPEATS = 300


class RememberingTransport:
    """Asks the subgraph once for each request and answers out of memory from then on."""

    def __init__(self, upstream: AsgiTransport) -> None:
        self._upstream = upstream
        self._known: dict[bytes, SubgraphResponse] = {}

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        known = self._known.get(request.body)
        if known is None:
            known = self._known[request.body] = await self._upstream.execute(request)
        return known

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[dict[str, Any] | None, None]:
        return self._upstream.subscribe(request)

    async def aclose(self) -> None:
        await self._upstream.aclose()


def _best(action: Callable[[], object]) -> float:
    """Return the lowest mean of several rounds, in microseconds."""
    times: list[float] = []
    for _ in range(_ROUNDS):
        start = process_time()
        for _ in range(_REPEATS):
            action()
        times.append((process_time() - start) / _REPEATS * 1e6)
    return min(times)


def _objects(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(_objects(item) for item in value.values())
    return sum(_objects(item) for item in value) if isinstance(value, list) else 0


def _collect_all(variant: Variant, execution: Execution, answers: Answers) -> None:
    for fetch in variant.fetches:
        if fetch.collect is not None:
            fetch.collect(answers, execution.reader)


async def main() -> None:
    subgraphs = shop_subgraphs()
    supergraph = compose_subgraphs(subgraphs)
    document = parse(HEAVY)
    operation = get_operation_ast(document)
    assert isinstance(operation, OperationDefinitionNode)
    plan = Planner(supergraph).plan(document, operation)
    start = perf_counter()
    program = compile_program(supergraph, document, operation, plan)
    compiled = perf_counter() - start
    transports = {one.name: RememberingTransport(AsgiTransport(one)) for one in subgraphs}
    executor = Executor(supergraph, transports, ExecutorSettings(deduplicate=False))
    context = RequestContext()
    result = await executor.execute(program, {}, context)
    assert not result.errors, result.errors
    size = len(orjson.dumps(result.data))

    variant = program.variant({})
    execution = Execution(
        Fetcher(transports, ExecutorSettings()), variant, {}, context, frozenset()
    )
    await execution.run()
    answers, reader = execution.answers, execution.reader
    projection = variant.projection
    assert projection is not None
    objects = _objects(result.data)
    print(f"fetches {len(plan.fetches)}, objects {objects}, answer {size / 1000:.1f} KB")
    print(f"compile the program        {compiled * 1e3:8.2f} ms")
    collected = _best(lambda: _collect_all(variant, execution, answers))
    print(f"collect representations    {collected:8.1f} µs")
    print(f"project (generated)        {_best(lambda: projection(answers, reader, {})):8.1f} µs")
    print(
        f"project (interpreter)      {_best(lambda: execution.interpreted(ErrorLog(), {})):8.1f} µs"
    )
    print(f"write JSON                 {_best(lambda: orjson.dumps(result.data)):8.1f} µs")

    times: list[float] = []
    for _ in range(_ROUNDS):
        start = process_time()
        for _ in range(_REPEATS):
            await executor.execute(program, {}, context)
        times.append((process_time() - start) / _REPEATS * 1e6)
    print(f"execute, all but transport {min(times):8.1f} µs")
    await executor.aclose()


asyncio.run(main())
