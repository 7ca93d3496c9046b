"""Every composition case gives the result it must give, and always the same one."""

from __future__ import annotations

import pytest

from router.composition import compose
from tests.federation.composition.cases import CompositionCase, composition_cases, feature_subgraphs


@pytest.mark.parametrize("case", composition_cases(), ids=str)
def test_the_case_has_the_expected_codes(case: CompositionCase) -> None:
    result = compose(case.subgraphs)

    assert {str(error.code) for error in result.errors} == case.codes, result.errors
    assert result.ok == (not case.codes)


@pytest.mark.parametrize("case", composition_cases(), ids=str)
def test_errors_name_subgraphs_and_the_order_of_subgraphs_does_not_matter(
    case: CompositionCase,
) -> None:
    result = compose(case.subgraphs)
    reversed_result = compose(case.subgraphs[::-1])

    assert result == reversed_result
    names = {subgraph.name for subgraph in case.subgraphs}
    assert all(names.issuperset(error.subgraphs) for error in result.errors)
    assert all(names.issuperset(hint.subgraphs) for hint in result.hints)


@pytest.mark.parametrize("feature", feature_subgraphs())
def test_the_feature_composes_whatever_the_order(feature: str) -> None:
    subgraphs = feature_subgraphs()[feature]

    result = compose(subgraphs)

    assert result.errors == ()
    assert result == compose(subgraphs[::-1])
