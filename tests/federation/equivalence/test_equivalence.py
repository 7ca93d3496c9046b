"""Random queries over every federation case's supergraph: the router's answer is that of one merged
schema.

A counter-example found here becomes a named operation in its feature's folder.
"""

from __future__ import annotations

from functools import cache

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.federation.cases import Feature, features
from tests.federation.equivalence.queries import random_query
from tests.federation.equivalence.subgraphs import WorldSubgraph, execute_merged, serve_world
from tests.federation.equivalence.world import World
from tests.federation.harness import run

COMPARED = [feature for feature in features() if not feature.data_only]


@cache
def _served(feature: Feature) -> tuple[World, list[WorldSubgraph]]:
    return serve_world(feature.subgraphs)


@pytest.mark.parametrize("feature", COMPARED, ids=lambda feature: feature.name)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), v=st.booleans(), w=st.booleans())
async def test_random_queries_answer_as_one_schema_would(
    feature: Feature, seed: int, v: bool, w: bool
) -> None:
    world, subgraphs = _served(feature)
    query = random_query(world.supergraph.api_schema, seed)
    document = parse(query)
    assert not validate(world.supergraph.api_schema, document)
    variables = {"v": v, "w": w}

    result = await run(subgraphs, query, variables, supergraph=world.supergraph)

    assert result.errors == []
    assert result.data == execute_merged(world, document, variables), query
