"""Every federation case: the plan is the expected one, and its answer is that of one merged schema."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse, print_ast

from router.planner import Planner
from router.planner.plan_text import plan_text
from tests.federation.cases import Case, features
from tests.federation.equivalence.subgraphs import WorldSubgraph, execute_merged
from tests.federation.equivalence.world import World
from tests.federation.harness import compose_subgraphs, run

CASES = [case for feature in features() for case in feature.cases]


def _subgraphs(case: Case) -> list[WorldSubgraph]:
    return [WorldSubgraph(name, sdl) for name, sdl in case.feature.subgraphs.items()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_plan_is_the_expected_one(case: Case, update_plans: bool) -> None:
    supergraph = compose_subgraphs(_subgraphs(case))
    document = parse(case.operation)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    text = plan_text(Planner(supergraph).plan(document, operation)) + "\n"

    if update_plans:
        case.plan_file.write_text(text)
    assert text == case.plan_file.read_text()


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_answer_is_that_of_one_merged_schema(case: Case, wanted: bool) -> None:
    subgraphs = _subgraphs(case)
    supergraph = compose_subgraphs(subgraphs)
    world = World(supergraph)
    for subgraph in subgraphs:
        subgraph.serve(world)
    document = parse(case.operation)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    variables = {
        definition.variable.name.value: wanted if "Boolean" in print_ast(definition.type) else "x"
        for definition in operation.variable_definitions or ()
    }

    result = await run(subgraphs, case.operation, variables, supergraph=supergraph)

    assert result.errors == []
    assert result.data == execute_merged(world, document, variables)
    assert len(result.requests) <= result.plan.count("Fetch(")
