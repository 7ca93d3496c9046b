"""Every composition case gives the result it must give, and always the same one."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.composition import compose
from router.federation.codes import ErrorCode
from router.federation.hints import HintCode
from tests.federation.composition.cases import CompositionCase, composition_cases, feature_subgraphs

README = Path(__file__).parents[1] / "README.md"


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


def test_every_code_has_a_case_or_a_reason() -> None:
    results = [compose(case.subgraphs) for case in composition_cases()]
    results += [compose(subgraphs) for subgraphs in feature_subgraphs().values()]
    shown = {str(error.code) for result in results for error in result.errors}
    shown |= {str(hint.code) for result in results for hint in result.hints}

    _, _, explained = README.read_text().partition("### Codes without a case")
    rows = (line.split("|")[1] for line in explained.splitlines() if line.startswith("| `"))
    reasons = {code.strip(" `") for row in rows for code in row.split(",")}

    assert shown | reasons == {*map(str, ErrorCode), *map(str, HintCode)}
    assert not shown & reasons


@pytest.mark.parametrize("feature", feature_subgraphs())
def test_the_feature_composes_whatever_the_order(feature: str) -> None:
    subgraphs = feature_subgraphs()[feature]

    result = compose(subgraphs)

    assert result.errors == ()
    assert result == compose(subgraphs[::-1])
