"""Every supergraph that we compose loads, unchanged, in `@apollo/gateway`."""

from __future__ import annotations

import pytest

from router.composition import compose
from tests.federation.composition.cases import composition_cases, feature_subgraphs
from tests.federation.gateway.comparisons import is_refused
from tests.node.run import load_into_gateway

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm_packages")]


def test_every_supergraph_loads_in_apollo_gateway() -> None:
    subgraphs = feature_subgraphs()
    subgraphs |= {str(case): case.subgraphs for case in composition_cases() if not case.codes}
    supergraphs = {name: compose(inputs).supergraph_sdl for name, inputs in subgraphs.items()}
    composed = {name: sdl for name, sdl in supergraphs.items() if sdl is not None}

    problems = load_into_gateway(list(composed.values()))

    assert composed.keys() == subgraphs.keys()
    for (name, sdl), problem in zip(composed.items(), problems, strict=True):
        if is_refused(sdl):
            assert problem is not None
            assert "is unsupported" in problem, name
        else:
            assert problem is None, name


def test_a_broken_supergraph_does_not_load() -> None:
    [problem] = load_into_gateway(["type Query { a: Int }"])

    assert problem is not None
