"""Random queries with random ``@defer``s over every federation case's supergraph: the parts, put
together, are the answer of the same query without.
"""

from __future__ import annotations

from functools import cache

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.federation.cases import Feature, features
from tests.federation.equivalence.queries import random_query, with_defers
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
    query = with_defers(whole, seed)
    assert not validate(supergraph.api_schema, parse(query))
    variables = {"v": v, "w": w}

    results = await deliver(subgraphs, query, variables, supergraph=supergraph)

    assert not any(result.has_errors for result in results), query
    assert [result.has_next for result in results] == [True] * (len(results) - 1) + [False]
    assert put_together(results) == execute_merged(world, parse(whole), variables), query
