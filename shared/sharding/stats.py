"""How the servers of a domain's shards are, for operators: role, size, latency, lag, connections.

Asked over connections of their own, so that the answer comes when the pools are full, and comes
from every server by itself. Nothing is counted row by row.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from shared.db.connect import LOST, connect
from shared.sharding.server import server_name
from shared.sharding.servers import NoPrimaryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.sharding.ids import ShardId
    from shared.sharding.server import Server
    from shared.sharding.servers import ShardServers
    from shared.sharding.settings import ShardSettings
    from shared.sharding.shards import Shards
    from shared.sharding.topology import ShardConfig

__all__ = ["ServerRole", "ServerStats", "read_stats"]

# n_live_tup counts with every commit. A crash of the server resets it, until the table is analysed;
# reltuples is then that of the last time. Standbys have neither.
_ASK: Final = """
SELECT pg_is_in_recovery() AS is_standby,
       pg_database_size(current_database()) AS bytes,
       (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()) AS connections,
       (SELECT CASE WHEN live.n_live_tup > 0 THEN live.n_live_tup
                    ELSE greatest(class.reltuples, 0)::int8 END
          FROM pg_class AS class LEFT JOIN pg_stat_user_tables AS live ON live.relid = class.oid
         WHERE class.oid = to_regclass($1)) AS rows
"""


class ServerRole(StrEnum):
    """What a server is to its shard."""

    PRIMARY = "PRIMARY"
    REPLICA = "REPLICA"
    FORMER_PRIMARY = "FORMER_PRIMARY"  # takes writes, though another one has been promoted
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStats:
    """One server of one shard. What it did not say is None.

    ``rows`` of the table that was asked for are an estimate, and known of a primary only; ``bytes``
    are the database's, with its indexes; ``latency`` is a round trip without a connection's
    beginning, and like ``lag`` in seconds; ``connections`` are all to the database, of whomever.
    """

    shard: ShardId
    server: str
    role: ServerRole
    slots: int
    rows: int | None = None
    bytes: int | None = None
    latency: float | None = None
    lag: float | None = None
    connections: int | None = None


async def read_stats(shards: Shards, table: str) -> list[ServerStats]:
    """Of each server of each shard, in the order of the topology."""
    found = await asyncio.gather(
        *(_of_shard(shards, each, table) for each in shards.topology.shards)
    )
    return [stats for shard in found for stats in shard]


async def _of_shard(shards: Shards, config: ShardConfig, table: str) -> list[ServerStats]:
    watched = shards.servers_of(config.id)
    if watched is not None:
        with suppress(NoPrimaryError):
            await watched.find_primary()  # looks at all of them
    answers = await asyncio.gather(
        *(_ask(address, table, shards.settings) for address in config.direct_servers)
    )
    servers = [None] if watched is None else watched.servers
    return [
        ServerStats(
            shard=config.id,
            server=server_name(address),
            slots=len(shards.topology.slots_of(config.id)),
            role=_role(answer, server, watched),
            lag=server.lag if server is not None and answer.get("is_standby") else None,
            rows=None if answer.get("is_standby") else answer.get("rows"),
            bytes=answer.get("bytes"),
            latency=answer.get("latency"),
            connections=answer.get("connections"),
        )
        for address, answer, server in zip(config.direct_servers, answers, servers, strict=True)
    ]


async def _ask(address: str, table: str, settings: ShardSettings) -> dict[str, Any]:
    """What a server says (Any: by column), nothing when it does not answer in time."""
    try:
        async with asyncio.timeout(settings.connect_timeout + settings.statement_timeout):
            connection = await connect(
                address,
                application_name=settings.application_name,
                timeout=settings.connect_timeout,
            )
            try:
                started = perf_counter()
                await connection.fetchval("SELECT 1")
                latency = perf_counter() - started
                return {**await connection.fetchrow(_ASK, table), "latency": latency}
            finally:
                connection.terminate()
    except LOST:
        return {}


def _role(
    answer: Mapping[str, Any], server: Server | None, watched: ShardServers | None
) -> ServerRole:
    if not answer:
        return ServerRole.DOWN
    if answer["is_standby"]:
        return ServerRole.REPLICA
    if watched is not None and watched.primary is not server:
        return ServerRole.FORMER_PRIMARY
    return ServerRole.PRIMARY
