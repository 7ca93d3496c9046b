"""The arguments of a connection."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import BadUserInputError
from shared.pagination import PageRequest, page_request


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        ({}, PageRequest(limit=20)),
        ({"after": "a"}, PageRequest(limit=20, after="a")),
        ({"first": 5, "after": "a"}, PageRequest(limit=5, after="a")),
        ({"first": 0}, PageRequest(limit=0)),
        ({"first": 100}, PageRequest(limit=100)),
        ({"last": 5}, PageRequest(limit=5, backward=True)),
        ({"last": 5, "before": "b"}, PageRequest(limit=5, before="b", backward=True)),
        ({"before": "b"}, PageRequest(limit=20, before="b")),
        (
            {"first": 5, "after": "a", "before": "b"},
            PageRequest(limit=5, after="a", before="b"),
        ),
    ],
)
def test_arguments_mean_a_request(arguments: dict[str, Any], request_: PageRequest) -> None:
    assert page_request(**arguments) == request_


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": -1}, "first"),
        ({"first": 101}, "first"),
        ({"last": -1}, "last"),
        ({"last": 101}, "last"),
        ({"first": 1, "last": 1}, "last"),
    ],
)
def test_senseless_arguments_are_refused(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(BadUserInputError) as raised:
        page_request(**arguments)

    assert raised.value.extensions == {"code": "BAD_USER_INPUT", "field": field}
