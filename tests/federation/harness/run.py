"""Runs operations over data-driven subgraphs: composes, plans, executes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import OperationDefinitionNode, parse, validate
from graphql.utilities import get_operation_ast

from router.composition import SubgraphInput, compose
from router.executor import (
    ExecutionResult,
    Executor,
    ExecutorSettings,
    PartialResult,
    Program,
    RequestContext,
    compile_program,
)
from router.executor.transport import AsgiTransport
from router.planner import Planner
from router.planner.plan_text import plan_text
from router.supergraph import Supergraph, load_supergraph
from router.supergraph.schemas import with_defer
from tests.federation.harness.subgraph import DataSubgraph, RecordedRequest

__all__ = ["Run", "compose_subgraphs", "deferring", "deliver", "run", "subscribe"]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of an operation. ``requests`` are in the order in which the subgraphs got them;
    ``parts`` are what came after the first answer.
    """

    data: dict[str, Any] | None
    errors: list[dict[str, Any]]
    extensions: dict[str, Any]
    plan: str
    requests: list[RecordedRequest]
    parts: list[dict[str, Any]] = field(default_factory=list)

    def requests_to(self, subgraph: str) -> list[RecordedRequest]:
        """Return the requests that one subgraph got."""
        return [request for request in self.requests if request.subgraph == subgraph]


def compose_subgraphs(subgraphs: Sequence[DataSubgraph]) -> Supergraph:
    """Compose subgraphs and load the supergraph; fails on composition errors."""
    composed = compose(
        [
            SubgraphInput(subgraph.name, f"http://{subgraph.name}", subgraph.sdl)
            for subgraph in subgraphs
        ]
    )
    assert not composed.errors, composed.errors
    assert composed.supergraph_sdl is not None
    return load_supergraph(composed.supergraph_sdl)


async def run(
    subgraphs: Sequence[DataSubgraph],
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    supergraph: Supergraph | None = None,
    operation_name: str | None = None,
    context: RequestContext | None = None,
    settings: ExecutorSettings | None = None,
) -> Run:
    """Run an operation; ``supergraph`` is composed of the subgraphs unless given."""
    supergraph = supergraph or compose_subgraphs(subgraphs)
    program = _program(supergraph, query, operation_name)
    log: list[RecordedRequest] = []
    for subgraph in subgraphs:
        subgraph.log = log
    executor = _executor(supergraph, subgraphs, settings)
    try:
        result = await executor.execute(program, dict(variables or {}), context or RequestContext())
    finally:
        await executor.aclose()
    return Run(result.data, result.errors, result.extensions, plan_text(program.plan), log)


async def subscribe(
    subgraphs: Sequence[DataSubgraph],
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    supergraph: Supergraph | None = None,
    context: RequestContext | None = None,
) -> AsyncGenerator[ExecutionResult, None]:
    """Run a subscription; yields the result of each event. Close the generator to end it."""
    supergraph = supergraph or compose_subgraphs(subgraphs)
    program = _program(supergraph, query, None)
    executor = _executor(supergraph, subgraphs, None)
    results = executor.subscribe(program, dict(variables or {}), context or RequestContext())
    try:
        async with aclosing(results):
            async for result in results:
                yield result
    finally:
        await executor.aclose()


async def deliver(
    subgraphs: Sequence[DataSubgraph],
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    supergraph: Supergraph | None = None,
    context: RequestContext | None = None,
) -> list[PartialResult]:
    """Run an operation that defers; return its parts in the order in which they came."""
    supergraph = deferring(supergraph or compose_subgraphs(subgraphs))
    program = _program(supergraph, query, None, defer=True)
    executor = _executor(supergraph, subgraphs, None)
    results = executor.deliver(program, dict(variables or {}), context or RequestContext())
    try:
        async with aclosing(results):
            return [result async for result in results]
    finally:
        await executor.aclose()


def deferring(supergraph: Supergraph) -> Supergraph:
    """Return the supergraph with ``@defer`` in what clients see."""
    return replace(supergraph, api_schema=with_defer(supergraph.api_schema))


def _program(
    supergraph: Supergraph, query: str, operation_name: str | None, *, defer: bool = False
) -> Program:
    document = parse(query)
    invalid = validate(supergraph.api_schema, document)
    assert not invalid, invalid
    operation = get_operation_ast(document, operation_name)
    assert isinstance(operation, OperationDefinitionNode)
    plan = Planner(supergraph).plan(document, operation, defer=defer)
    return compile_program(supergraph, document, operation, plan)


def _executor(
    supergraph: Supergraph, subgraphs: Sequence[DataSubgraph], settings: ExecutorSettings | None
) -> Executor:
    transports = {subgraph.name: AsgiTransport(subgraph) for subgraph in subgraphs}
    return Executor(supergraph, transports, settings)
