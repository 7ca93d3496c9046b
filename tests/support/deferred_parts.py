"""What a client makes of a deferred answer: all parts put together."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from router.executor import PartialResult

__all__ = ["put_together"]


def put_together(results: Sequence[PartialResult]) -> Any:
    """Return the data of the first answer with that of all parts merged in at their paths."""
    first, *later = [result.to_dict() for result in results]
    data = copy.deepcopy(first["data"])
    for payload in later:
        for part in payload["incremental"]:
            place = data
            for step in part["path"]:
                place = place[step]
            _merge(place, part["data"])
    return data


def _merge(place: Any, data: Any) -> None:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        if isinstance(value, dict | list) and (isinstance(place, list) or key in place):
            assert type(place[key]) is type(value)
            _merge(place[key], value)
        elif isinstance(place, list):
            assert place[key] == value
        else:
            assert place.get(key, value) == value
            place[key] = value
