"""Migrations of one domain on all its shards, in parallel, each under an advisory lock.

``socialnet migrate`` and the embedded runtime call ``up`` and ``down``; a subgraph does not serve
before ``assert_current`` (see ``readiness``). Each revision is one transaction on each shard,
together with its entry in ``alembic_version`` (the table that Alembic's own tools read), so a crash
leaves every shard at some revision and a second run goes on from there. A revision may leave its
transaction for ``CREATE INDEX CONCURRENTLY`` by Alembic's ``autocommit_block`` and must then be
repeatable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from shared.db.connect import UNREACHABLE
from shared.db.locks import SCHEMA_LOCK
from shared.db.revisions import History, MigrationError
from shared.errors import OperatorError
from shared.sharding.direct import connect_primary
from shared.sharding.ids import ShardId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from pathlib import Path

    from shared.db.revisions import Step
    from shared.sharding.topology import ShardConfig

__all__ = [
    "MigrationError",
    "Progress",
    "SchemaBehindError",
    "SchemaState",
    "ShardRevision",
    "assert_current",
    "down",
    "new",
    "status",
    "up",
]

Progress: TypeAlias = Callable[[ShardId, str], None]
"""``progress(shard, revision)``: this revision is done on this shard."""

_APPLICATION = "socialnet-migrate"
_LOCK_WAIT = 120.0  # seconds for another migration to end
_LOCK_INTERVAL = 0.1
_TABLE_LOCK_WAIT = "10s"  # DDL that waits for longer would make all requests wait behind it

_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"

_VERSION_TABLE = """
CREATE TABLE IF NOT EXISTS alembic_version (
    version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
)
"""


class SchemaBehindError(OperatorError):
    """Databases lack migrations that the code needs."""


class SchemaState(StrEnum):
    """How a database compares to this code."""

    CURRENT = "current"
    BEHIND = "behind"
    AHEAD = "ahead"  # at a revision of newer code; fine, see ``assert_current``
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRevision:
    """Where the database of one shard stands. ``pending``: revisions still to run, oldest first."""

    shard: ShardId
    state: SchemaState
    revision: str | None = None
    pending: tuple[str, ...] = ()


async def status(
    domain: str, shards: Sequence[ShardConfig], *, folder: Path | None = None
) -> tuple[ShardRevision, ...]:
    """Where each shard stands, in the order given."""
    history = History(domain, folder)
    return tuple(await asyncio.gather(*(_status_of(history, shard) for shard in shards)))


async def up(
    domain: str,
    shards: Sequence[ShardConfig],
    *,
    to: str = "head",
    folder: Path | None = None,
    progress: Progress | None = None,
) -> tuple[ShardRevision, ...]:
    """Runs what is pending on every shard, up to ``head``, ``+n`` or a revision.

    Raises:
        MigrationError: at least one shard failed; the others are done, and a second run finishes
            the rest.
    """
    history = History(domain, folder)
    return await _on_all(shards, lambda shard: _migrate(history, shard, to, progress, upwards=True))


async def down(
    domain: str,
    shards: Sequence[ShardConfig],
    *,
    to: str = "-1",
    folder: Path | None = None,
    progress: Progress | None = None,
) -> tuple[ShardRevision, ...]:
    """Takes revisions back, down to ``-n``, a revision, or ``base``. Raises as ``up``."""
    history = History(domain, folder)
    return await _on_all(
        shards, lambda shard: _migrate(history, shard, to, progress, upwards=False)
    )


def new(domain: str, message: str, *, folder: Path | None = None) -> Path:
    """Writes an empty revision after the present head and returns its path."""
    return History(domain, folder).write_new(message)


async def assert_current(
    domain: str, shards: Sequence[ShardConfig], *, folder: Path | None = None
) -> tuple[ShardId, ...]:
    """Called by a subgraph at start: refuses databases that lack migrations of this code.

    Databases that are ahead are fine: forward migrations run while the previous code is still
    serving.

    Returns:
        The shards that are down and could not be asked; a subgraph starts without them.

    Raises:
        SchemaBehindError: names each database that is behind, and what to run.
    """
    history = History(domain, folder)
    found = await asyncio.gather(*(_status_of(history, shard) for shard in shards))
    behind = [
        f"database {domain} on {each.shard} is {_at(each.revision)}, code needs {history.head}"
        for each in found
        if each.state is SchemaState.BEHIND
    ]
    if behind:
        raise SchemaBehindError("; ".join(behind) + ": run `socialnet migrate up`")
    return tuple(each.shard for each in found if each.state is SchemaState.UNREACHABLE)


async def _on_all(
    shards: Sequence[ShardConfig], work: Callable[[ShardConfig], Awaitable[ShardRevision]]
) -> tuple[ShardRevision, ...]:
    results = await asyncio.gather(*map(work, shards), return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in errors:
        if not isinstance(error, MigrationError):
            raise error
    if errors:
        raise MigrationError("\n".join(map(str, errors)))
    return tuple(result for result in results if isinstance(result, ShardRevision))


async def _status_of(history: History, shard: ShardConfig) -> ShardRevision:
    try:
        connection = await connect_primary(shard, application_name=_APPLICATION)
        try:
            revision = await _revision(history, shard.id, connection)
        finally:
            await connection.close()
    except UNREACHABLE:
        return ShardRevision(shard=shard.id, state=SchemaState.UNREACHABLE)
    except asyncpg.PostgresError as error:  # no such database, wrong password
        raise MigrationError(f"database {history.domain} on {shard.id}: {error}") from error
    return _judge(history, shard.id, revision)


def _judge(history: History, shard: ShardId, revision: str | None) -> ShardRevision:
    position = history.position(revision)
    if position is None:
        return ShardRevision(shard=shard, state=SchemaState.AHEAD, revision=revision)
    pending = history.revisions[position:]
    state = SchemaState.BEHIND if pending else SchemaState.CURRENT
    return ShardRevision(shard=shard, state=state, revision=revision, pending=pending)


async def _migrate(
    history: History, shard: ShardConfig, to: str, progress: Progress | None, *, upwards: bool
) -> ShardRevision:
    database = f"database {history.domain} on {shard.id}"
    try:
        connection = await connect_primary(shard, application_name=_APPLICATION)
        try:
            await _lock(connection, database)
            revision = await _revision(history, shard.id, connection)
            start = history.position(revision)
            if start is None:
                raise MigrationError(f"{database} is at {revision}, which this code does not know")
            end = history.target(to, start)
            for step in history.steps(start, end) if upwards == (end > start) else ():
                await _run(connection, step, database)
                revision = step.after
                if progress is not None:
                    progress(shard.id, step.revision)
        finally:
            await connection.close()  # and with it the lock
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = "nothing answers" if isinstance(error, OSError) else str(error)
        raise MigrationError(f"{database} cannot be reached: {reason}") from error
    return _judge(history, shard.id, revision)


async def _lock(connection: Any, database: str) -> None:
    """Asks again and again instead of waiting inside a statement.

    That would hold a snapshot, and ``CREATE INDEX CONCURRENTLY`` of the lock's holder waits for all
    snapshots to go.
    """
    try:
        async with asyncio.timeout(_LOCK_WAIT):
            while not await connection.fetchval(_TRY_LOCK, SCHEMA_LOCK):  # noqa: ASYNC110
                await asyncio.sleep(_LOCK_INTERVAL)
    except TimeoutError as error:
        message = f"{database}: another migration has been running for {_LOCK_WAIT:.0f} s"
        raise MigrationError(f"{message}; try again later") from error
    await connection.execute(f"SET lock_timeout = '{_TABLE_LOCK_WAIT}'")


async def _revision(history: History, shard: ShardId, connection: Any) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    rows = await connection.fetch("SELECT version_num FROM alembic_version")
    if len(rows) > 1:
        database = f"database {history.domain} on {shard}"
        raise MigrationError(f"{database} is at several revisions at once; repair alembic_version")
    return rows[0]["version_num"] if rows else None


async def _run(connection: Any, step: Step, database: str) -> None:
    try:
        await connection.execute("BEGIN")
        for statement in step.statements:
            await connection.execute(statement)
        await connection.execute(_VERSION_TABLE)
        await connection.execute("DELETE FROM alembic_version")
        if step.after is not None:
            await connection.execute("INSERT INTO alembic_version VALUES ($1)", step.after)
        await connection.execute("COMMIT")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # the connection is closed next, which rolls back
        raise MigrationError(f"{database}: revision {step.revision} failed: {error}") from error


def _at(revision: str | None) -> str:
    return "empty" if revision is None else f"at {revision}"
