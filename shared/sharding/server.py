"""One PostgreSQL server of a shard, as looking at it shows: role, timeline, position in the WAL.

Looked at over a connection of its own, past any pooler and beside the pools, so that a full pool
does not make a server look dead. ``ShardServers`` decides what follows from it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import make_url

from shared.db.connect import LOST, connect
from shared.sharding.positions import Position

if TYPE_CHECKING:
    from shared.sharding.settings import ShardSettings

__all__ = ["Server", "ServerStatus", "server_name"]

# The timeline grows with every promotion. A standby tells the one that it follows for certain only
# to members of pg_read_all_stats (pg_monitor); what everybody may see lags behind.
_LOOK: Final = """
SELECT pg_is_in_recovery() AS is_standby,
       CASE WHEN pg_is_in_recovery()
            THEN greatest((SELECT received_tli FROM pg_stat_get_wal_receiver()),
                          (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                          (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
       END AS timeline,
       ((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)
         - '0/0')::int8 AS position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What a server said of itself: ``position`` is written (a primary) or replayed (a standby)."""

    is_standby: bool
    timeline: int
    position: Position


def server_name(url: str) -> str:
    """The address without user, password and database, for operators."""
    parsed = make_url(url)
    host, port = parsed.host or parsed.query.get("host"), parsed.port or parsed.query.get("port")
    return f"{host}:{port}" if port else str(host)


class Server:
    """``status`` is what was seen last; None when the server did not answer."""

    def __init__(self, *, url: str, direct: str, settings: ShardSettings) -> None:
        self.name = server_name(direct)
        self.url = url
        self.status: ServerStatus | None = None
        self.lag: float | None = None  # seconds; kept by ShardServers
        self.direct = direct
        self._settings = settings
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()
        self._connection: Any = None  # asyncpg.Connection

    @property
    def replayed(self) -> Position:
        """How far a standby is known to have got."""
        return Position(0) if self.status is None else self.status.position

    async def look(self, *, max_age: float = 0.0) -> None:
        """See how the server is, unless that was done within ``max_age`` seconds. Never raises, and
        ends within the time for connecting; looks at the same time are one.
        """
        async with self._lock:
            if monotonic() - self._looked_at < max_age:
                return
            try:
                async with asyncio.timeout(self._settings.connect_timeout):
                    self.status = await self._ask()
            except LOST:  # whatever stands in the way, it is not there for us
                self.status = None
                self._drop()
            except BaseException:
                self._drop()  # or an answer to come would meet the next question
                raise
            self._looked_at = monotonic()

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*LOST):
                await connection.close(timeout=1)

    async def _ask(self) -> ServerStatus:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self.direct,
                application_name=f"{self._settings.application_name}-health",
                timeout=self._settings.connect_timeout,
            )
        row = await self._connection.fetchrow(_LOOK)
        return ServerStatus(
            is_standby=row["is_standby"],
            timeline=row["timeline"],
            position=Position(row["position"] or 0),
        )

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
