"""The connection pool of one server of a shard, or of whichever is the primary: SQLAlchemy on
asyncpg, with our timeouts.

Autocommit is the pool's default, because most sessions read and then need neither BEGIN nor COMMIT;
transactions ask for theirs. Every limit is also set on the server, so that a process of ours that
hangs or dies cannot hold locks for long.

**PgBouncer** in transaction mode (``ShardConfig.is_pooled``) gives each transaction another
connection to the server. So no statement stays prepared, unless ``prepared_statements`` says that
PgBouncer keeps track of them, and no connection has settings of its own: those that it would have
belong to the role (``role_settings``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.connect import UNREACHABLE, asyncpg_arguments, asyncpg_url
from shared.sharding.failures import is_broken_protocol, is_read_only
from shared.sharding.servers import NoPrimaryError

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

    from shared.sharding.server import Server
    from shared.sharding.servers import ShardServers
    from shared.sharding.settings import ShardSettings

__all__ = ["open_engine", "open_primary_engine", "role_settings"]


class _ServerConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that knows which of a shard's servers it leads to."""

    __slots__ = ("server",)

    server: Server


def open_engine(url: str, settings: ShardSettings, *, pooled: bool = False) -> AsyncEngine:
    """An engine with an empty pool; connections are made when they are needed."""
    return _open(url, settings, pooled, {"async_creator_fn": _connect})


def open_primary_engine(
    servers: ShardServers, settings: ShardSettings, *, pooled: bool = False
) -> AsyncEngine:
    """An engine whose connections lead to the primary, whichever server that is.

    A connection to a server that is not the primary any more is given to nobody.
    """

    async def connect_primary(**arguments: Any) -> Any:  # Any: to and from asyncpg
        server = servers.primary or await servers.find_primary()
        try:
            return await _connect_as_primary(server, arguments)
        except UNREACHABLE as error:
            servers.suspect(server)
            failure = error
        again = await servers.find_primary()
        if again is server:  # it answers to us there, and not to connections like this one
            raise failure
        return await _connect_as_primary(again, arguments)

    def refuse_former(connection: Any, _entry: object, _proxy: object) -> None:
        if (
            servers.primary is not None
            and connection.driver_connection.server is not servers.primary
        ):
            raise DisconnectionError("not the primary any more")

    creator = {"async_creator_fn": connect_primary}
    engine = _open(servers.servers[0].url, settings, pooled, creator)
    event.listen(engine.sync_engine, "checkout", refuse_former)
    return engine


def role_settings(settings: ShardSettings) -> dict[str, str]:
    """What our connections set on the server; behind PgBouncer the role has to have it."""
    return {
        "statement_timeout": _milliseconds(settings.statement_timeout),
        "transaction_timeout": _milliseconds(settings.transaction_timeout),
        "jit": "off",  # compiling costs more than our short statements take
    }


def _open(url: str, settings: ShardSettings, pooled: bool, creator: dict[str, Any]) -> AsyncEngine:
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
        connect_args=creator | _connect_arguments(settings, pooled),
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "invalidate", _drop_silent)
    event.listen(engine.sync_engine, "handle_error", _leave_useless)
    return engine


def _connect_arguments(
    settings: ShardSettings, pooled: bool
) -> dict[str, Any]:  # Any: asyncpg's own keywords
    prepared = settings.prepared_statements_kept(pooled=pooled)
    return {
        "timeout": settings.connect_timeout,
        "command_timeout": settings.statement_timeout + settings.answer_grace,
        "prepared_statement_cache_size": prepared,
        # Of no use to SQLAlchemy, which keeps prepared statements itself, but with 0 asyncpg does
        # not name them and so prepares them again and again.
        "statement_cache_size": prepared,
        "server_settings": {
            "application_name": settings.application_name,
            "timezone": "UTC",
            **({} if pooled else role_settings(settings)),
        },
    }


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


async def _connect(**arguments: Any) -> Any:  # Any: passed through to and from asyncpg
    try:
        return await asyncpg.connect(**arguments)
    except TimeoutError as error:  # or it would look like a statement that took too long
        raise ConnectionError("connecting took too long") from error


async def _connect_as_primary(server: Server, arguments: dict[str, Any]) -> _ServerConnection:
    """Any: as above. Asks the server for its role: PgBouncer may repeat what it once was."""
    address = asyncpg_arguments(server.url)
    connection: _ServerConnection = await _connect(
        **{**arguments, **address}, connection_class=_ServerConnection
    )
    connection.server = server
    try:
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            raise NoPrimaryError(f"{server.name} is a standby")
    except BaseException:
        connection.terminate()
        raise
    return connection


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


def _leave_useless(context: ExceptionContext) -> None:
    """Connections that SQLAlchemy would keep: to a server that has become a standby under us, or
    that has just gone.
    """
    error = context.original_exception
    if is_read_only(error) or is_broken_protocol(error):
        context.is_disconnect = True
