"""Without generated code the same requests are made, and the same answer comes of them.

For the features with contextual values: they are read on the way down, by both.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import router.executor.program as program_module
from router.executor.codegen import CodeTooLargeError
from tests.federation.cases import Feature
from tests.federation.equivalence.queries import random_query
from tests.federation.equivalence.subgraphs import serve_world
from tests.federation.harness import Run, run

FEATURES = (
    "context_across_subgraphs",
    "context_arguments",
    "context_interface_object",
    "context_nested",
    "context_computed",
)


def _too_large(*_: object) -> Any:
    raise CodeTooLargeError


def _sent(result: Run) -> list[tuple[str, str, str]]:
    return sorted((r.subgraph, r.query, str(r.variables)) for r in result.requests)


@pytest.mark.parametrize("name", FEATURES)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), v=st.booleans(), w=st.booleans())
async def test_readers_alone_do_as_the_generated_code_does(
    name: str, seed: int, v: bool, w: bool
) -> None:
    world, subgraphs = serve_world(Feature(name).subgraphs)
    query = random_query(world.supergraph.api_schema, seed)
    variables = {"v": v, "w": w}

    generated = await run(subgraphs, query, variables, supergraph=world.supergraph)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program_module, "compile_collector", _too_large)
        patch.setattr(program_module, "compile_projection", _too_large)
        read = await run(subgraphs, query, variables, supergraph=world.supergraph)

    assert read.errors == generated.errors == []
    assert read.data == generated.data
    assert _sent(read) == _sent(generated)
