"""Every federation case: the plan is the expected one, and its answer is that of one merged schema.

What is answered with a feature's own data is in ``test_answers``.
"""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
    type_from_ast,
)

from tests.federation.cases import Case, features
from tests.federation.equivalence.subgraphs import WorldSubgraph, execute_merged
from tests.federation.equivalence.world import World
from tests.federation.harness import compose_subgraphs, explain, run

CASES = [case for feature in features() for case in feature.cases]
COMPARED = [
    # graphql-core would answer in parts: equivalence/test_deferred.py compares these.
    case
    for case in CASES
    if not case.feature.data_only and "@defer" not in case.operation
]


def _subgraphs(case: Case) -> list[WorldSubgraph]:
    return [WorldSubgraph(name, sdl) for name, sdl in case.feature.subgraphs.items()]


def _variable(schema: GraphQLSchema, node: TypeNode, wanted: bool) -> object:
    """A value for a variable of a type; ``wanted`` if it is a condition."""
    type_ = type_from_ast(schema, node)
    assert type_ is not None
    match get_named_type(type_):
        case GraphQLScalarType(name="Boolean"):
            return wanted
        case GraphQLEnumType() as enum:
            value: object = min(enum.values)
        case GraphQLScalarType(name="Int"):
            value = 3
        case _:
            value = "x"
    is_list = is_list_type(type_.of_type if is_non_null_type(type_) else type_)
    return [value] if is_list else value


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_plan_is_the_expected_one(case: Case, update_plans: bool) -> None:
    supergraph = compose_subgraphs(_subgraphs(case))

    text = explain(supergraph, case.operation, case.labels) + "\n"

    if update_plans:
        case.plan_file.write_text(text)
    assert text == case.plan_file.read_text()


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("case", COMPARED, ids=str)
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
        definition.variable.name.value: _variable(supergraph.api_schema, definition.type, wanted)
        for definition in operation.variable_definitions or ()
    }

    result = await run(subgraphs, case.operation, variables, supergraph=supergraph)

    assert result.errors == []
    assert result.data == execute_merged(world, document, variables)
    assert len(result.requests) <= result.plan.count("Fetch(")
