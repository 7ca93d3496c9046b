"""A bare asyncpg connection to a shard's URL, for work outside requests.

Programs that work on a shard's primary use ``shared.sharding.direct``, which knows where that is.
Requests go through ``shared.sharding.Shards``, which has pools and knows the topology.
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import OperatorError

__all__ = ["LOST", "UNREACHABLE", "asyncpg_arguments", "asyncpg_url", "connect"]

LOST: Final = (
    OSError,  # a timeout is one too
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # used after the server had ended it, before that was noticed
)
"""What comes of a bare connection when its server is lost."""

UNREACHABLE: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
"""What comes of connecting to a server that is down; a wrong password or database is none of it."""


def asyncpg_url(url: str) -> URL:
    """A shard's address as SQLAlchemy needs it; ``postgresql://`` is taken as well.

    Raises:
        OperatorError: it is no PostgreSQL URL. The message does not repeat it, since it may hold a
            password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise OperatorError("A shard's address is not a URL.") from None
    if parsed.get_backend_name() != "postgresql":
        scheme = parsed.drivername
        raise OperatorError(f"A shard's address must begin with postgresql://, not {scheme}://")
    return parsed.set(drivername="postgresql+asyncpg")


def asyncpg_arguments(url: str) -> dict[str, Any]:  # Any: asyncpg's own keywords
    """What ``asyncpg.connect`` needs to reach this address."""
    parsed = asyncpg_url(url)
    arguments = dict(parsed.get_dialect()().create_connect_args(parsed)[1])
    arguments.pop("prepared_statement_cache_size", None)  # SQLAlchemy's, not asyncpg's
    return arguments


async def connect(url: str, *, application_name: str, timeout: float = 5.0) -> Any:
    """An ``asyncpg.Connection``; the caller closes it. Without timeouts for statements, also if the
    role has some for requests that come through PgBouncer.

    Raises:
        OSError: nothing answers there (a timeout while connecting is one too).
        asyncpg.PostgresError: the server refuses.
    """
    settings = {
        "application_name": application_name,
        "timezone": "UTC",
        "statement_timeout": "0",
        "transaction_timeout": "0",
    }
    return await asyncpg.connect(
        **asyncpg_arguments(url), timeout=timeout, server_settings=settings
    )
