"""Random queries over random supergraphs: the router's answer is that of one merged schema, all at
once or in parts.

A counter-example found here becomes a folder of its own.
"""

from __future__ import annotations

from graphql import parse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from router.composition import SubgraphInput, compose
from router.supergraph import load_supergraph
from tests.federation.equivalence.queries import random_query, with_defers
from tests.federation.equivalence.subgraphs import execute_merged, serve_world
from tests.federation.equivalence.supergraphs import random_subgraphs
from tests.federation.harness import deliver, run
from tests.support.deferred_parts import put_together

QUERIES = 4  # per supergraph


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
@example(seed=4170280147)  # an interface object's name is not its type
@example(seed=1578473198)  # nor in parts
async def test_random_supergraphs_answer_as_one_schema_would(seed: int) -> None:
    sdls = random_subgraphs(seed)
    composed = compose([SubgraphInput(name, f"http://{name}", sdl) for name, sdl in sdls.items()])
    if composed.supergraph_sdl is None:
        return
    world, subgraphs = serve_world(sdls, load_supergraph(composed.supergraph_sdl))
    for number in range(QUERIES):
        query = random_query(world.supergraph.api_schema, seed + number)
        variables = {"v": bool(number & 1), "w": bool(number & 2)}

        result = await run(subgraphs, query, variables, supergraph=world.supergraph)

        expected = execute_merged(world, parse(query), variables)
        assert result.errors == [], query
        assert result.data == expected, query
        deferred = with_defers(query, seed)
        parts = await deliver(subgraphs, deferred, variables, supergraph=world.supergraph)
        assert not any(part.has_errors for part in parts), deferred
        assert put_together(parts) == expected, deferred


def test_enough_of_them_compose() -> None:
    composing = sum(
        compose(
            [SubgraphInput(name, name, sdl) for name, sdl in random_subgraphs(seed).items()]
        ).supergraph_sdl
        is not None
        for seed in range(100)
    )
    assert composing > 20
