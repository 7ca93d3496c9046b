"""Which driver errors mean that a shard is down, slow, or not to blame."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import exc

from shared.errors import ErrorCode
from shared.sharding import ShardId
from shared.sharding.failures import is_stale_connection, shard_failure

SHARD = ShardId("shard-0")


def wrapped(error: Exception, *, invalidated: bool = False) -> exc.DBAPIError:
    """As SQLAlchemy wraps it: asyncpg's error is the cause of its DBAPI error."""
    dbapi_error = Exception("translated")
    dbapi_error.__cause__ = error
    return exc.DBAPIError("SELECT 1", {}, dbapi_error, connection_invalidated=invalidated)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionRefusedError(), ErrorCode.SHARD_UNAVAILABLE),
        (ConnectionResetError(), ErrorCode.SHARD_UNAVAILABLE),
        (FileNotFoundError("no socket"), ErrorCode.SHARD_UNAVAILABLE),
        (exc.TimeoutError("the pool is empty"), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.ConnectionDoesNotExistError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.AdminShutdownError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.CrashShutdownError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.CannotConnectNowError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.TooManyConnectionsError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.DiskFullError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.ReadOnlySQLTransactionError(), ErrorCode.SHARD_UNAVAILABLE),
        (asyncpg.InternalClientError("another operation in progress"), ErrorCode.SHARD_UNAVAILABLE),
        (TimeoutError(), ErrorCode.TIMEOUT),
        (asyncpg.QueryCanceledError(), ErrorCode.TIMEOUT),
        (asyncpg.LockNotAvailableError(), ErrorCode.TIMEOUT),
        (asyncpg.IdleInTransactionSessionTimeoutError(), ErrorCode.TIMEOUT),
    ],
)
def test_outages_and_timeouts_are_the_shards_fault(error: Exception, code: ErrorCode) -> None:
    for raised in (error, wrapped(error)) if isinstance(error, asyncpg.PostgresError) else (error,):
        failure = shard_failure(raised, SHARD)

        assert failure is not None
        assert failure.extensions == {"code": code.value, "retryable": True}
        assert failure.shard == SHARD


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError(),
        asyncpg.UndefinedTableError(),
        asyncpg.InvalidCatalogNameError(),
        asyncpg.InvalidPasswordError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.InvalidCachedStatementError(),
    ],
)
def test_other_errors_are_not(error: Exception) -> None:
    assert shard_failure(error, SHARD) is None
    assert shard_failure(wrapped(error), SHARD) is None
    assert shard_failure(ValueError(), SHARD) is None


def test_an_invalidated_connection_is_an_outage_and_worth_another_try() -> None:
    lost = wrapped(asyncpg.InterfaceError("connection is closed"), invalidated=True)

    failure = shard_failure(lost, SHARD)
    assert failure is not None
    assert failure.code is ErrorCode.SHARD_UNAVAILABLE
    assert is_stale_connection(lost)


@pytest.mark.parametrize(
    ("error", "stale"),
    [
        (wrapped(asyncpg.AdminShutdownError()), True),
        (wrapped(asyncpg.InvalidCachedStatementError()), True),
        (wrapped(asyncpg.CannotConnectNowError()), False),
        (wrapped(asyncpg.QueryCanceledError()), False),
        (wrapped(asyncpg.UniqueViolationError()), False),
        (ConnectionRefusedError(), False),
        (TimeoutError(), False),
    ],
)
def test_only_a_dead_connection_is_worth_another_try(error: Exception, stale: bool) -> None:
    assert is_stale_connection(error) is stale
