"""Random queries with random ``@defer``s over every federation case's supergraph: the parts, put
together, are the answer of the same query without.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    FieldNode,
    InlineFragmentNode,
    NameNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    validate,
    visit,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.federation.cases import Feature, features
from tests.federation.equivalence.queries import random_query
from tests.federation.equivalence.subgraphs import WorldSubgraph, execute_merged, serve_world
from tests.federation.equivalence.world import World
from tests.federation.harness import deferring, deliver
from tests.support.deferred_parts import put_together

COMPARED = [
    feature
    for feature in features()
    # The harness knows keys by the name @key only, and what is deferred is entered by key.
    if not feature.data_only and feature.name != "renamed_imports"
]


class _Defer(Visitor):
    """Puts some of the selections of random selection sets below a deferral."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        if self._rng.random() > 0.4:
            return node
        deferred = [one for one in node.selections if self._rng.random() < 0.5]
        left = [one for one in node.selections if one not in deferred]
        # What is there at once and later has to be the same.
        both = [one for one in left if isinstance(one, FieldNode) and self._rng.random() < 0.2]
        if not deferred:
            return node
        fragment = InlineFragmentNode(
            type_condition=None,
            directives=(DirectiveNode(name=NameNode(value="defer"), arguments=()),),
            selection_set=SelectionSetNode(selections=(*deferred, *both)),
        )
        return SelectionSetNode(selections=(*left, fragment))


def _with_defers(query: str, seed: int) -> str:
    return print_ast(visit(parse(query), _Defer(random.Random(seed))))


@cache
def _served(feature: Feature) -> tuple[World, list[WorldSubgraph]]:
    return serve_world(feature.subgraphs)


@pytest.mark.parametrize("feature", COMPARED, ids=lambda feature: feature.name)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), v=st.booleans(), w=st.booleans())
@example(seed=232, v=False, w=False)  # an interface object's name is not its type
async def test_parts_together_are_the_whole_answer(
    feature: Feature, seed: int, v: bool, w: bool
) -> None:
    world, subgraphs = _served(feature)
    supergraph = deferring(world.supergraph)
    whole = random_query(world.supergraph.api_schema, seed)
    query = _with_defers(whole, seed)
    assert not validate(supergraph.api_schema, parse(query))
    variables = {"v": v, "w": w}

    results = await deliver(subgraphs, query, variables, supergraph=supergraph)

    assert not any(result.has_errors for result in results), query
    assert [result.has_next for result in results] == [True] * (len(results) - 1) + [False]
    assert put_together(results) == execute_merged(world, parse(whole), variables), query
