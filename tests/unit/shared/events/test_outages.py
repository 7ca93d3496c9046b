from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.errors import BadUserInputError
from shared.events.outages import is_outage
from shared.sharding import ShardId, ShardTimeoutError, ShardUnavailableError


@pytest.mark.parametrize(
    "error",
    [
        ShardUnavailableError(ShardId("shard-0")),
        ShardTimeoutError(ShardId("shard-0")),
        ConnectionRefusedError(),
        TimeoutError(),
        RedisConnectionError(),
        RedisTimeoutError(),
    ],
    ids=repr,
)
def test_what_ends_by_itself_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), ValueError(), BadUserInputError("no", field="x"), ResponseError("no")],
    ids=repr,
)
def test_what_comes_again_with_the_same_event_is_none(error: Exception) -> None:
    assert not is_outage(error)
