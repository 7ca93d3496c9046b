"""Sessions: what a repository runs its statements on.

A session belongs to one shard and says so; reading and writing are different types, so that a write
on a read path does not type-check. Sessions come from ``Shards`` only and are used by one task at a
time.

What the driver throws is sorted here: an outage becomes ``ShardUnavailableError``, a statement that
took too long ``ShardTimeoutError``, everything else (constraint violations, bugs) is passed on
untouched. A connection that turns out to be dead is replaced and the statement tried once more
where that is safe: for reads always, in a transaction for its first statement only, because nothing
was done yet and nothing counts before the commit.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy.util import greenlet_spawn
from typing_extensions import override

from shared.sharding.failures import is_stale_connection, shard_failure
from shared.sharding.statements import record_statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from sqlalchemy import CursorResult, Executable
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from shared.sharding.ids import ShardId, Slot
    from shared.sharding.metrics import ShardMetrics

__all__ = ["Node", "Parameters", "ReadSession", "Session", "WriteSession"]

Parameters: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, Any]] | None"
"""One set of values, or several to run with each. (Any: what the statement's types accept.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One PostgreSQL server of a shard as sessions need it."""

    domain: str
    shard: ShardId
    engine: AsyncEngine
    metrics: ShardMetrics


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
        repeatable = self._is_repeatable()
        while True:
            record_statement(self._node.domain, self.shard)
            started = perf_counter()
            try:
                return await self._run(statement, parameters)
            except Exception as error:
                if not (repeatable and is_stale_connection(error)):
                    self._raise_failure(error)
                    raise
                repeatable = False
            finally:
                self._node.metrics.observe(perf_counter() - started)

    @abstractmethod
    def _is_repeatable(self) -> bool:
        """Whether the next statement may run twice if the first connection turns out to be dead."""

    @abstractmethod
    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        """One attempt."""

    def _raise_failure(self, error: Exception) -> None:
        """Raises the shard's error if the shard is to blame, else does nothing."""
        failure = shard_failure(error, self.shard)
        if failure is not None:
            self._node.metrics.failed(failure.code)
            raise failure from error


class ReadSession(Session):
    """Statements that only read, each on its own: no BEGIN, no COMMIT, no common snapshot.

    Between statements no connection is held, so a session may be kept while waiting for something
    else.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held."""

    @override
    def _is_repeatable(self) -> bool:
        return True

    @override
    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        if statement.is_dml:
            raise TypeError("a read session does not write: it may run a statement twice")
        # One greenlet for check-out, statement and check-in: a fifth less CPU than AsyncConnection,
        # which makes three.
        return await greenlet_spawn(self._run_in_greenlet, statement, parameters)

    def _run_in_greenlet(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        with self._node.engine.sync_engine.connect() as connection:
            return connection.execute(statement, parameters)


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
    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        try:
            if self._connection is None:
                self._connection = await self._node.engine.connect()
            return await self._connection.execute(statement, parameters)
        except BaseException:
            await self._close()
            raise

    async def _commit(self, connection: AsyncConnection) -> None:
        try:
            await connection.commit()
        except Exception as error:
            self._raise_failure(error)
            raise

    async def _close(self) -> None:
        """Gives the connection back, rolled back if not committed, even when cancelled."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.shield(asyncio.ensure_future(connection.close()))
