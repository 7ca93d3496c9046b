"""The size of variables' values."""

from typing import Any

import pytest

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.inputs import InputLimits


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_levels_are_bounded() -> None:
    limits = InputLimits(depth=4, values=100)

    limits.check("v", _nested(3))
    limits.check("v", _nested(4))
    with pytest.raises(RequestError, match=r"'\$v' has more than 4 levels") as caught:
        limits.check("v", _nested(5))
    assert caught.value.code == RequestErrorCode.MAX_INPUT_DEPTH_LIMIT


@pytest.mark.parametrize("wrap", [list, lambda items: {str(item): item for item in items}])
def test_values_are_bounded_over_all_levels(wrap: Any) -> None:
    limits = InputLimits(depth=4, values=10)

    limits.check("v", {"a": wrap(range(4)), "b": wrap(range(3))})
    limits.check("v", {"a": wrap(range(4)), "b": wrap(range(4))})
    with pytest.raises(RequestError, match=r"'\$v' has more than 10 values") as caught:
        limits.check("v", {"a": wrap(range(4)), "b": wrap(range(5))})
    assert caught.value.code == RequestErrorCode.MAX_INPUT_VALUES_LIMIT
