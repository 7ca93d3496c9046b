"""Random changes of all that subgraphs answer, over every federation case: never an exception, and
never a response that the API schema does not allow.

A counter-example found here becomes a test by hand beside the code it concerns.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import orjson
import pytest
from graphql import parse
from graphql.utilities import get_operation_ast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.executor import (
    ExecutionResult,
    ExecutorSettings,
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    compile_program,
)
from router.executor.execution import Execution
from router.executor.fetcher import Fetcher
from router.executor.response_errors import ErrorLog
from router.executor.transport import AsgiTransport
from router.planner import Planner
from router.server.pipeline.respond import encode
from tests.federation.cases import Feature, features
from tests.federation.equivalence.queries import random_query
from tests.federation.equivalence.subgraphs import WorldSubgraph, serve_world
from tests.federation.equivalence.world import World
from tests.federation.faults.conformance import Place, misfit, nulls
from tests.federation.faults.mutations import damage, mutate

Change: TypeAlias = Callable[[Any, random.Random], Any]
COMPARED = [feature for feature in features() if not feature.data_only]
QUIET = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class MutatingTransport:
    """Passes requests on and changes some of the answers."""

    inner: AsgiTransport
    rng: random.Random
    change: Change
    changed: list[Any] = field(default_factory=list)
    true_nulls: set[str | int] = field(default_factory=set)

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        response = await self.inner.execute(request)
        answer = orjson.loads(response.body)
        self.true_nulls.update(place[-1] for place in nulls(answer) if place)
        if self.rng.random() < 0.5:
            return response
        self.changed.append(self.change(answer, self.rng))
        return SubgraphResponse(response.status, orjson.dumps(self.changed[-1]))

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[dict[str, Any] | None, None]:
        return self.inner.subscribe(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


@cache
def served(feature: Feature) -> tuple[World, Planner, list[WorldSubgraph]]:
    world, subgraphs = serve_world(feature.subgraphs)
    return world, Planner(world.supergraph), subgraphs


@dataclass(frozen=True)
class Executed:
    result: ExecutionResult
    interpreted: Any  # ``data`` as the interpreter alone sees it
    interpreter_errors: list[Any]
    changed: list[Any]
    true_nulls: set[str | int]  # the keys that subgraphs themselves answered null for


async def execute(
    feature: Feature,
    query: str,
    variables: Mapping[str, Any],
    *,
    seed: int = 0,
    change: Change | None = None,
) -> Executed:
    """Run a query over answers that are changed, in a way that ``seed`` decides."""
    world, planner, subgraphs = served(feature)
    document = parse(query)
    operation = get_operation_ast(document)
    assert operation is not None
    program = compile_program(
        world.supergraph, document, operation, planner.plan(document, operation)
    )
    changed: list[Any] = []
    true_nulls: set[str | int] = set()
    transports: dict[str, Any] = {}
    for subgraph in subgraphs:
        subgraph.log = []
        transport = AsgiTransport(subgraph)
        transports[subgraph.name] = transport
        if change is not None:
            rng = random.Random(f"{seed}{subgraph.name}")
            transports[subgraph.name] = MutatingTransport(
                transport, rng, change, changed, true_nulls
            )
    fetcher = Fetcher(transports, ExecutorSettings())
    execution = Execution(
        fetcher, program.variant(variables), variables, RequestContext(), frozenset({"code"})
    )
    await execution.run()
    result = execution.result()
    log = ErrorLog()
    execution.map_errors(log)
    interpreted = execution.interpreted(log, {})
    return Executed(result, interpreted, log.errors, changed, true_nulls)


def value_at(data: Any, place: Place) -> Any:
    """The value at a place, None where there is none."""
    for step in place:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


@pytest.mark.parametrize("feature", COMPARED, ids=lambda feature: feature.name)
@QUIET
@given(query=st.integers(0, 2**32), seed=st.integers(0, 2**32), v=st.booleans(), w=st.booleans())
async def test_a_response_always_fits_the_api_schema(
    feature: Feature, query: int, seed: int, v: bool, w: bool
) -> None:
    schema = served(feature)[0].supergraph.api_schema
    text = random_query(schema, query)
    variables = {"v": v, "w": w}

    executed = await execute(feature, text, variables, seed=seed, change=mutate)

    data = executed.result.data
    assert misfit(schema, parse(text), variables, data) is None, (text, executed.changed)
    encode(executed.result.to_dict())
    assert executed.interpreted == data, "generated code and interpreter agree"
    assert executed.interpreter_errors == executed.result.errors
    for error in executed.result.errors:
        assert isinstance(error["message"], str)
        assert isinstance(error["extensions"]["code"], str)


@pytest.mark.parametrize("feature", COMPARED, ids=lambda feature: feature.name)
@QUIET
@given(query=st.integers(0, 2**32), seed=st.integers(0, 2**32))
async def test_what_a_damaged_answer_takes_away_is_told(
    feature: Feature, query: int, seed: int
) -> None:
    schema = served(feature)[0].supergraph.api_schema
    text = random_query(schema, query)
    variables = {"v": True, "w": False}
    right = (await execute(feature, text, variables)).result.data

    executed = await execute(feature, text, variables, seed=seed, change=damage)

    lost = [
        place
        for place in nulls(executed.result.data)
        # What a subgraph computes from an input that another one left out is its own answer.
        if value_at(right, place) is not None and not executed.true_nulls.intersection(place[-1:])
    ]
    if lost:
        assert executed.result.errors, (lost, text, executed.changed)
