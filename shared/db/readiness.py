"""What has to be true of a domain's databases before its subgraph serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text

from shared.db.migrations import assert_current
from shared.db.ownership import claim_databases
from shared.errors import OperatorError
from shared.sharding.engine import role_settings
from shared.sharding.errors import ShardError

if TYPE_CHECKING:
    from shared.sharding import Shards
    from shared.sharding.topology import ShardConfig

__all__ = ["RoleSettingsError", "assert_ready"]

_log = structlog.get_logger(__name__)

_LIMITS = text(
    "SELECT name, setting::int AS milliseconds FROM pg_settings"
    " WHERE name IN ('statement_timeout', 'transaction_timeout')"
)


class RoleSettingsError(OperatorError):
    """Behind PgBouncer, the role lacks limits that connections cannot set themselves."""


async def assert_ready(shards: Shards) -> None:
    """Check the databases of a domain; called by a subgraph at start.

    Shards that are down are not checked: a subgraph starts without them.

    Raises:
        SchemaBehindError: a database lacks migrations of this code.
        TopologyMismatchError: a database belongs to another domain, shard or set of slots.
        RoleSettingsError: PgBouncer is used, and the role has no limits.
    """
    domain, topology = shards.settings.domain, shards.topology
    down = await assert_current(domain, topology.shards)
    await claim_databases(domain, topology)
    pooled = [shard for shard in topology.shards if shard.is_pooled and shard.id not in down]
    problems = await asyncio.gather(*(_missing_limits(shards, shard) for shard in pooled))
    if found := [problem for problem in problems if problem]:
        raise RoleSettingsError("; ".join(found))


async def _missing_limits(shards: Shards, shard: ShardConfig) -> str | None:
    """What the operator has to do. The transaction's limit is part of the protocol of identities:
    without it, a value that must be unique may be taken twice.
    """
    try:
        async with shards.read_on(shard.id, fresh=True) as session:
            found = {row.name: row.milliseconds for row in await session.execute(_LIMITS)}
    except ShardError:
        _log.warning("limits not checked", domain=shards.settings.domain, shard=shard.id)
        return None
    wanted = role_settings(shards.settings)
    missing = [
        f"ALTER ROLE ... SET {name} = '{wanted[name]}ms'"
        for name, milliseconds in sorted(found.items())
        if not 0 < milliseconds <= int(wanted[name])
    ]
    if not missing:
        return None
    return f"{shard.id} is behind PgBouncer, so the limits must be its role's: {', '.join(missing)}"
