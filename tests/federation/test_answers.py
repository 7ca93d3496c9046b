"""Every federation case that has data of its own: the answer, the errors and the requests made.

Generated data cannot hold what makes these cases hard: null keys, wrong values where a field is
external or was taken over, subgraphs that refuse, mutations that must not run twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.federation.cases import Answer, features
from tests.federation.harness import answer, compose_subgraphs

ANSWERS = [expected for feature in features() for expected in feature.answers]


def _shown(error: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """An error in the form in which it is expected."""
    shown = {"code": error["extensions"]["code"]}
    if "path" in error:
        shown["path"] = error["path"]
    if "message" in expected:
        shown["message"] = error["message"]
    return shown


@pytest.mark.parametrize("expected", ANSWERS, ids=str)
async def test_the_answer_is_the_expected_one(expected: Answer) -> None:
    subgraphs = expected.feature.data_subgraphs()
    supergraph = compose_subgraphs(subgraphs)

    got = await answer(
        supergraph,
        subgraphs,
        expected.operation,
        expected.variables,
        expected.caller,
        in_parts=expected.parts is not None,
    )

    assert got.data == expected.data
    assert len(got.errors) == len(expected.errors), got.errors
    errors = sorted(got.errors, key=lambda error: str(error.get("path")))
    expected_errors = sorted(expected.errors, key=lambda error: str(error.get("path")))
    assert [
        _shown(error, other) for error, other in zip(errors, expected_errors, strict=True)
    ] == expected_errors
    parts = sorted(got.parts, key=lambda part: (str(part["path"]), part.get("label", "")))
    for part in parts:
        if "errors" in part:
            part["errors"] = [_shown(error, {}) for error in part["errors"]]
    assert parts == (expected.parts or [])
    assert Counter(request.subgraph for request in got.requests) == expected.requests
