"""Executor tests without planner and subgraphs: a bare schema, answers by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from graphql.utilities import get_operation_ast

from router.executor import (
    ExecutionResult,
    Executor,
    ExecutorSettings,
    Program,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    compile_program,
)
from router.planner.plan import QueryPlan

__all__ = ["Answer", "PlainSupergraph", "ScriptedTransport", "execute_plan", "program_of"]

Answer: TypeAlias = (
    "Mapping[str, Any] | SubgraphResponse | Exception | Callable[[dict[str, Any]], Any]"
)


class PlainSupergraph:
    """The executor's view of a supergraph; clients see ``api_sdl``, by default everything."""

    def __init__(self, sdl: str, api_sdl: str | None = None) -> None:
        self.schema: GraphQLSchema = build_schema(sdl)
        self.api_schema: GraphQLSchema = build_schema(api_sdl) if api_sdl else self.schema

    def possible_types(self, name: str) -> frozenset[str]:
        kind: Any = self.schema.get_type(name)
        return frozenset(one.name for one in self.schema.get_possible_types(kind))

    def resolves(self, subgraph: str, parent: str, field: str) -> bool:
        return True


@dataclass
class ScriptedTransport:
    """Gives the next answer: a GraphQL or HTTP response, an exception, or what a function says."""

    answers: list[Answer]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    opened: list[SubgraphRequest] = field(default_factory=list)
    is_ended: bool = False
    hold: asyncio.Event | None = None  # requests wait for it
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: int = 0

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        payload = orjson.loads(request.body)
        self.requests.append(payload)
        self.headers.append(request.headers)
        self.arrived.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if callable(answer):
            answer = answer(payload)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, SubgraphResponse):
            return answer
        return SubgraphResponse(200, orjson.dumps(answer))

    async def subscribe(
        self, request: SubgraphRequest
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        self.opened.append(request)
        try:
            if request.announce:
                yield None
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.is_ended = True

    async def aclose(self) -> None:
        """There is nothing to close."""


def program_of(supergraph: PlainSupergraph, query: str, plan: QueryPlan) -> Program:
    """Compile a plan for a query, after validating the query."""
    document = parse(query)
    assert not (invalid := validate(supergraph.api_schema, document)), invalid
    operation = get_operation_ast(document)
    assert isinstance(operation, OperationDefinitionNode)
    return compile_program(supergraph, document, operation, plan)


async def execute_plan(
    supergraph: PlainSupergraph,
    query: str,
    plan: QueryPlan,
    answers: Mapping[str, Answer | ScriptedTransport | list[Any]],
    variables: Mapping[str, Any] | None = None,
    *,
    context: RequestContext | None = None,
    settings: ExecutorSettings | None = None,
) -> ExecutionResult:
    """Execute a plan over scripted answers, by subgraph."""
    transports = {
        name: answer
        if isinstance(answer, ScriptedTransport)
        else ScriptedTransport(answer if isinstance(answer, list) else [answer])
        for name, answer in answers.items()
    }
    executor = Executor(supergraph, transports, settings)
    program = program_of(supergraph, query, plan)
    return await executor.execute(program, dict(variables or {}), context or RequestContext())
