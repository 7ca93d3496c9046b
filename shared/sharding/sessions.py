"""Sessions: what a repository runs its statements on.

A session belongs to one shard and says so; reading and writing are different types, so that a write
on a read path does not type-check. Sessions come from ``Shards`` only and are used by one task at a
time.

What the driver throws is sorted here: an outage becomes ``ShardUnavailableError``, a statement that
took too long ``ShardTimeoutError``, everything else (constraint violations, bugs) is passed on
untouched. A connection that turns out to be dead is replaced and the statement tried once more
where that is safe: for reads always, in a transaction for its first statement only, because nothing
was done yet and nothing counts before the commit. A read that a replica does not answer is asked of
the primary.

After a commit on a shard that has replicas, the request learns the shard's position in the WAL, so
that its client reads what it has written (see ``positions``).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.util import greenlet_spawn
from typing_extensions import override

from shared.sharding.errors import ShardUnavailableError
from shared.sharding.failures import is_stale_connection, shard_failure
from shared.sharding.positions import Position, current_positions
from shared.sharding.statements import record_statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from sqlalchemy import CursorResult, Executable
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from shared.sharding.ids import ShardId, Slot
    from shared.sharding.metrics import ShardMetrics
    from shared.sharding.positions import Positions, ShardKey
    from shared.sharding.replicas import Replicas

__all__ = ["Node", "Parameters", "ReadSession", "Session", "WriteSession"]

Parameters: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, Any]] | None"
"""One set of values, or several to run with each. (Any: what the statement's types accept.)"""


_log = structlog.get_logger(__name__)

# Not pg_current_wal_lsn(): with synchronous_commit off, that has not come to the commit yet.
_POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One PostgreSQL server of a shard as sessions need it. ``position_key``: None when nobody
    needs the shard's position, because it has no replicas.
    """

    domain: str
    shard: ShardId
    engine: AsyncEngine
    metrics: ShardMetrics
    position_key: ShardKey | None = None


class Session(ABC):
    """One shard (and, unless it reads a whole shard, one slot of it)."""

    def __init__(self, node: Node, slot: Slot | None) -> None:
        self.shard = node.shard
        self.slot = slot
        self._node = node

    async def execute(
        self, statement: Executable, parameters: Parameters = None
    ) -> CursorResult[Any]:
        """Runs one statement; the result is complete in memory and outlives the session.

        Raises:
            ShardUnavailableError: the shard cannot be reached or was lost.
            ShardTimeoutError: the statement or the wait for its answer took too long.
            sqlalchemy.exc.DBAPIError: what the statement itself did wrong, e.g. ``IntegrityError``.
        """
        return await self._execute_on(self._node, statement, parameters)

    async def _execute_on(
        self, node: Node, statement: Executable, parameters: Parameters
    ) -> CursorResult[Any]:
        repeatable = self._is_repeatable()
        while True:
            record_statement(node.domain, self.shard)
            started = perf_counter()
            try:
                return await self._run(node, statement, parameters)
            except Exception as error:
                if not (repeatable and is_stale_connection(error)):
                    self._raise_failure(node, error)
                    raise
                repeatable = False
            finally:
                node.metrics.observe(perf_counter() - started)

    @abstractmethod
    def _is_repeatable(self) -> bool:
        """Whether the next statement may run twice if the first connection turns out to be dead."""

    @abstractmethod
    async def _run(
        self, node: Node, statement: Executable, parameters: Parameters
    ) -> CursorResult[Any]:
        """One attempt."""

    def _raise_failure(self, node: Node, error: Exception) -> None:
        """Raises the shard's error if the shard is to blame, else does nothing."""
        failure = shard_failure(error, self.shard)
        if failure is not None:
            node.metrics.failed(failure.code)
            raise failure from error


class ReadSession(Session):
    """Statements that only read, each on its own: no BEGIN, no COMMIT, no common snapshot.

    Between statements no connection is held, so a session may be kept while waiting for something
    else. With ``replicas``, each statement is run on one of them if the current request allows it.
    """

    def __init__(self, node: Node, slot: Slot | None, replicas: Replicas | None = None) -> None:
        super().__init__(node, slot)
        self._replicas = replicas

    @override
    async def execute(
        self, statement: Executable, parameters: Parameters = None
    ) -> CursorResult[Any]:
        chosen = None if self._replicas is None else await self._replicas.choose()
        if self._replicas is not None and chosen is not None:
            server, node = chosen
            try:
                return await self._execute_on(node, statement, parameters)
            except ShardUnavailableError as error:
                if not isinstance(error.__cause__, PoolTimeoutError):  # busy, which is no fault
                    self._replicas.suspect(server)
            except DBAPIError:
                # A conflict with replaying, or a table that the replica does not have yet. What is
                # really wrong with the statement, the primary will say.
                pass
        return await super().execute(statement, parameters)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held."""

    @override
    def _is_repeatable(self) -> bool:
        return True

    @override
    async def _run(
        self, node: Node, statement: Executable, parameters: Parameters
    ) -> CursorResult[Any]:
        if statement.is_dml:
            raise TypeError("a read session does not write: it may run a statement twice")
        # One greenlet for check-out, statement and check-in: a fifth less CPU than AsyncConnection,
        # which makes three.
        return await greenlet_spawn(_run_in_greenlet, node, statement, parameters)


class WriteSession(Session):
    """One transaction (READ COMMITTED) in one slot; one ``async with`` is its whole life.

    It commits when the block ends and rolls back when the block raises. After a failed statement
    nothing more can be done in it: leave the block by the exception. Its connection is taken at the
    first statement and held to the end, so do not wait for anything else inside.
    """

    slot: Slot

    def __init__(self, node: Node, slot: Slot) -> None:
        super().__init__(node, slot)
        self._connection: AsyncConnection | None = None
        self._failed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._failed:
            raise RuntimeError("a statement of this transaction failed; it cannot be committed")
        try:
            if kind is None and self._connection is not None:
                await self._commit(self._connection)
        finally:
            await self._close()

    @override
    async def execute(
        self, statement: Executable, parameters: Parameters = None
    ) -> CursorResult[Any]:
        if self._failed:
            raise RuntimeError("a statement of this transaction failed before; start a new one")
        try:
            return await super().execute(statement, parameters)
        except BaseException:
            self._failed = True
            raise

    @override
    def _is_repeatable(self) -> bool:
        return self._connection is None

    @override
    async def _run(
        self, node: Node, statement: Executable, parameters: Parameters
    ) -> CursorResult[Any]:
        try:
            if self._connection is None:
                self._connection = await node.engine.connect()
            return await self._connection.execute(statement, parameters)
        except BaseException:
            await self._close()
            raise

    async def _commit(self, connection: AsyncConnection) -> None:
        try:
            await connection.commit()
        except Exception as error:
            self._raise_failure(self._node, error)
            raise
        key, positions = self._node.position_key, current_positions()
        if key is not None and positions is not None:
            positions.wrote(key)
            await self._note_position(connection, key, positions)

    async def _note_position(
        self, connection: AsyncConnection, key: ShardKey, positions: Positions
    ) -> None:
        """The commit counts whether or not this succeeds. Past SQLAlchemy, which would begin a
        transaction for it.
        """
        try:
            driver: Any = (await connection.get_raw_connection()).driver_connection  # asyncpg's
            positions.reached(key, Position(await driver.fetchval(_POSITION)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the transaction is committed
            # the rest of the request reads the primary; later ones may miss what it wrote
            _log.warning("position unknown", shard=self.shard, error=type(error).__name__)

    async def _close(self) -> None:
        """Gives the connection back, rolled back if not committed, even when cancelled."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.shield(asyncio.ensure_future(connection.close()))


def _run_in_greenlet(
    node: Node, statement: Executable, parameters: Parameters
) -> CursorResult[Any]:
    with node.engine.sync_engine.connect() as connection:
        return connection.execute(statement, parameters)
