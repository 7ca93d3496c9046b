"""The connection pool of one node of one shard: SQLAlchemy on asyncpg, with our timeouts.

Autocommit is the pool's default, because most sessions read and then need neither BEGIN nor COMMIT;
transactions ask for theirs. Every limit is also set on the server, so that a process of ours that
hangs or dies cannot hold locks for long.

Behind PgBouncer in transaction mode this needs ``max_prepared_statements`` of at least
``ShardSettings.prepared_statements``, and the settings below in ``ignore_startup_parameters`` (then
set them for the role, ``ALTER ROLE ... SET``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.connect import asyncpg_url

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

    from shared.sharding.settings import ShardSettings

__all__ = ["open_engine"]


def open_engine(url: str, settings: ShardSettings) -> AsyncEngine:
    """An engine with an empty pool; connections are made when they are needed."""
    engine = create_async_engine(
        asyncpg_url(url),
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_use_lifo=True,  # the hottest connection has the warmest caches
        hide_parameters=True,  # no personal data in logged errors
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args=_connect_arguments(settings),
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "invalidate", _drop_silent)
    return engine


def _connect_arguments(settings: ShardSettings) -> dict[str, Any]:  # Any: asyncpg's own keywords
    return {
        "async_creator_fn": _connect,
        "timeout": settings.connect_timeout,
        "command_timeout": settings.statement_timeout + settings.answer_grace,
        "prepared_statement_cache_size": settings.prepared_statements,
        # Of no use to SQLAlchemy, which keeps prepared statements itself, but with 0 asyncpg does
        # not name them and so prepares them again and again.
        "statement_cache_size": settings.prepared_statements,
        "server_settings": {
            "application_name": settings.application_name,
            "statement_timeout": _milliseconds(settings.statement_timeout),
            "transaction_timeout": _milliseconds(settings.transaction_timeout),
            "timezone": "UTC",
            "jit": "off",  # compiling costs more than our short statements take
        },
    }


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


async def _connect(**arguments: Any) -> Any:  # Any: passed through to and from asyncpg
    try:
        return await asyncpg.connect(**arguments)
    except TimeoutError as error:  # or it would look like a statement that took too long
        raise ConnectionError("connecting took too long") from error


def _refuse_closed(
    connection: Any,  # SQLAlchemy's adapter around asyncpg's connection has no public type
    _entry: ConnectionPoolEntry,
    _proxy: PoolProxiedConnection,
) -> None:
    """Costs no round trip, unlike a ping: asyncpg knows when the server has closed the socket."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("closed by the server")


def _drop_silent(
    connection: Any,  # SQLAlchemy's adapter, as above
    _entry: ConnectionPoolEntry,
    error: BaseException | None,
) -> None:
    """Or SQLAlchemy would say goodbye, for seconds, to a server that does not answer."""
    if isinstance(error, TimeoutError):
        connection.driver_connection.terminate()
