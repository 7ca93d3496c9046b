"""Every operation of the federation cases, and random ones, answered by us and by Apollo Gateway.

Three sources: the cases over generated data, with Boolean variables true and false; the cases with
data of their own; random queries over generated data. The gateway runs in one Node.js process for
all of them and reaches the same subgraphs over HTTP; it is given the supergraphs that we compose.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, OperationType, TypeNode, parse, print_ast
from graphql.utilities import get_operation_ast

from router.composition import SubgraphInput, compose
from router.supergraph import Supergraph, load_supergraph
from tests.federation.cases import Feature, features
from tests.federation.equivalence.queries import random_query
from tests.federation.equivalence.subgraphs import WorldSubgraph
from tests.federation.equivalence.world import World
from tests.federation.gateway.served import served
from tests.federation.harness import DataSubgraph, answer

__all__ = ["Comparison", "Outcome", "compare_with_gateway", "is_refused"]

RANDOM = 8  # random queries per feature
NOT_IN_THE_GATEWAY = ("authenticated", "requiresScopes", "policy", "context", "cacheTag")
"""Specifications that only Apollo Router implements: the gateway refuses Apollo's own supergraphs
that link them."""
NODE_SCRIPTS = Path(__file__).parents[2] / "node"


@dataclass(frozen=True)
class Outcome:
    """An answer. Messages of errors are not compared, only whether there are any."""

    data: Any
    errors: tuple[str, ...]

    def agrees(self, other: Outcome) -> bool:
        """Whether a client would see the same."""
        return self.data == other.data and bool(self.errors) == bool(other.errors)


@dataclass(frozen=True)
class Comparison:
    """One operation with both outcomes. ``case`` is ``<feature>/<name>``."""

    case: str
    query: str
    variables: dict[str, Any]
    ours: Outcome
    gateway: Outcome


@dataclass
class _Operation:
    case: str
    query: str
    variables: dict[str, Any]
    ours: Outcome = field(default_factory=lambda: Outcome(None, ()))


@dataclass
class _Set:
    """A supergraph with subgraphs of its own for each side: they may keep state."""

    name: str
    sdl: str
    ours: list[DataSubgraph]
    gateways: list[DataSubgraph]
    operations: list[_Operation]

    def url(self, subgraph: str) -> str:
        return f"/{self.name}/{subgraph}"

    async def execute(self) -> None:
        """Answer all operations ourselves."""
        supergraph = load_supergraph(self.sdl)
        for operation in self.operations:
            run = await answer(supergraph, self.ours, operation.query, operation.variables)
            errors = tuple(str(error["message"]) for error in run.errors)
            operation.ours = Outcome(run.data, errors)


def is_refused(sdl: str) -> bool:
    """Whether the gateway does not load a supergraph, for a specification that it links."""
    return any(f"https://specs.apollo.dev/{spec}/" in sdl for spec in NOT_IN_THE_GATEWAY)


async def compare_with_gateway() -> list[Comparison]:
    """Answer everything twice that both can answer. Takes seconds: one process, one port."""
    sets = [one for feature in features() for one in _sets(feature) if not is_refused(one.sdl)]
    for one in sets:
        await one.execute()
    paths = {one.url(subgraph.name): subgraph for one in sets for subgraph in one.gateways}
    async with served(paths) as url:
        given = {
            one.name: {
                "sdl": one.sdl.replace('url: "http:/', f'url: "{url}'),
                "operations": [
                    {"query": operation.query, "variables": operation.variables}
                    for operation in one.operations
                ],
            }
            for one in sets
        }
        answers = await _execute_in_gateway(given)
    return [
        Comparison(operation.case, operation.query, operation.variables, operation.ours, outcome)
        for one in sets
        for operation, outcome in zip(one.operations, answers[one.name], strict=True)
    ]


async def _execute_in_gateway(given: Mapping[str, Any]) -> dict[str, list[Outcome]]:
    process = await asyncio.create_subprocess_exec(
        "node",
        "execute_gateway.cjs",
        cwd=NODE_SCRIPTS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(300):
            printed, problems = await process.communicate(json.dumps(given).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, problems.decode()
    return {
        name: _outcomes(found, len(given[name]["operations"]))
        for name, found in json.loads(printed).items()
    }


def _outcomes(found: dict[str, Any], count: int) -> list[Outcome]:
    if "error" in found:  # the supergraph does not load
        return [Outcome(None, (found["error"],))] * count
    return [
        Outcome(None, (one["error"],))
        if "error" in one
        else Outcome(one["data"], tuple(one["errors"]))
        for one in found["answers"]
    ]


# -- what is compared ------------------------------------------------------------------------------


def _sets(feature: Feature) -> Iterator[_Set]:
    if not feature.data_only:
        yield _generated(feature)
    reading: list[_Operation] = []
    for expected in feature.answers:
        operation = _Operation(str(expected), expected.operation, expected.variables)
        match _definition(operation.query).operation:
            case OperationType.QUERY:
                reading.append(operation)
            case OperationType.MUTATION:
                yield _with_data(feature, f"{feature.name}.{expected.path.stem}", [operation])
    if reading:
        yield _with_data(feature, f"{feature.name}.data", reading)


def _with_data(feature: Feature, name: str, operations: list[_Operation]) -> _Set:
    ours, gateways = feature.data_subgraphs(), feature.data_subgraphs()
    return _Set(name, _compose(name, ours), ours, gateways, operations)


def _generated(feature: Feature) -> _Set:
    sides: tuple[list[DataSubgraph], list[DataSubgraph]] = ([], [])
    sdl = _compose(feature.name, [DataSubgraph(*item) for item in feature.subgraphs.items()])
    supergraph = load_supergraph(sdl)
    world = World(supergraph)
    for side in sides:
        for name, text in feature.subgraphs.items():
            subgraph = WorldSubgraph(name, text)
            subgraph.serve(world)
            side.append(subgraph)
    operations = [*_case_operations(feature), *_random_operations(feature, supergraph)]
    return _Set(feature.name, sdl, *sides, operations)


def _case_operations(feature: Feature) -> Iterator[_Operation]:
    for case in feature.cases:
        definition = _definition(case.operation)
        if definition.operation is OperationType.SUBSCRIPTION or "@defer" in case.operation:
            continue
        for wanted in (True, False) if definition.variable_definitions else (True,):
            variables = {
                variable.variable.name.value: _value(variable.type, wanted)
                for variable in definition.variable_definitions or ()
            }
            yield _Operation(str(case), case.operation, variables)


def _random_operations(feature: Feature, supergraph: Supergraph) -> Iterator[_Operation]:
    for seed in range(RANDOM):
        query = random_query(supergraph.api_schema, seed)
        variables = {"v": bool(seed & 1), "w": bool(seed & 2)}
        yield _Operation(f"{feature.name}/random", query, variables)


def _definition(query: str) -> OperationDefinitionNode:
    definition = get_operation_ast(parse(query))
    assert definition is not None
    return definition


def _value(type_: TypeNode, wanted: bool) -> object:
    text = print_ast(type_)
    if "Boolean" in text:
        return wanted
    value: object = 3 if "Int" in text else "x"
    return [value] if text.startswith("[") else value


def _compose(name: str, subgraphs: list[DataSubgraph]) -> str:
    inputs = [SubgraphInput(one.name, f"http://{name}/{one.name}", one.sdl) for one in subgraphs]
    composed = compose(inputs)
    assert composed.supergraph_sdl is not None, (name, composed.errors)
    return composed.supergraph_sdl
