"""Sorting what the driver throws: outage, slowness, or the statement's own fault.

Sessions ask here after every failed statement. PostgreSQL's SQLSTATE decides where there is one
(the codes are listed in appendix A of its manual); failures of the way to the server come as
``OSError`` or as a connection that SQLAlchemy has invalidated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import exc

from shared.sharding.errors import ShardTimeoutError, ShardUnavailableError

if TYPE_CHECKING:
    from shared.sharding.errors import ShardError
    from shared.sharding.ids import ShardId

__all__ = ["is_broken_protocol", "is_read_only", "is_stale_connection", "shard_failure"]

_READ_ONLY = "25006"  # read-only transaction: this server is not the primary any more

_UNAVAILABLE_CLASSES = frozenset(
    {
        "08",  # connection exception
        "53",  # insufficient resources: connections, disk, memory
        "58",  # system error: I/O
    }
)
_UNAVAILABLE_STATES = frozenset(
    {
        _READ_ONLY,
        "57P01",  # shutdown by the administrator
        "57P02",  # shutdown after a crash
        "57P03",  # starting up, shutting down or recovering
        "57P05",  # idle session timeout
    }
)
_TIMEOUT_STATES = frozenset(
    {
        "25P03",  # idle in transaction for too long
        "25P04",  # transaction timeout
        "55P03",  # lock timeout
        "57014",  # statement timeout
    }
)
# The server's side of the connection is gone, or has other tables than when the statement was
# prepared.
_STALE_STATES = frozenset({"08003", "08006", "0A000", "57P01", "57P02", "57P05"})


def shard_failure(error: BaseException, shard: ShardId) -> ShardError | None:
    """The client's error for a driver's error, None when the shard is not to blame."""
    state = _sqlstate(error)
    if state in _TIMEOUT_STATES:
        return ShardTimeoutError(shard)
    if state is not None and (state in _UNAVAILABLE_STATES or state[:2] in _UNAVAILABLE_CLASSES):
        return ShardUnavailableError(shard)
    if isinstance(
        error, TimeoutError
    ):  # an OSError too: the server has the statement and is silent
        return ShardTimeoutError(shard)
    if isinstance(error, OSError | exc.TimeoutError) or _is_gone(error):
        return ShardUnavailableError(shard)
    return None


def is_stale_connection(error: BaseException) -> bool:
    """Whether a fresh connection may do: this one was dead or its prepared statements outdated."""
    return _is_gone(error) or _sqlstate(error) in _STALE_STATES


def is_read_only(error: BaseException) -> bool:
    """Whether a standby was asked to write."""
    return _sqlstate(error) == _READ_ONLY


def _sqlstate(error: BaseException) -> str | None:
    if isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig  # asyncpg's own, inside SQLAlchemy's DBAPI error
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None


def is_broken_protocol(error: BaseException) -> bool:
    """Whether a connection that the server has just ended was used before its end arrived: asyncpg
    is then still busy with the server's last words.
    """
    return isinstance(error, asyncpg.InternalClientError)


def _is_gone(error: BaseException) -> bool:
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated
    return is_broken_protocol(error)
