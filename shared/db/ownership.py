"""What a database records of the topology: whose it is, and which slots it holds.

The topology is made from the settings at each start. The database of each domain on each shard has
one row that says what it was made for; whoever comes with other settings is refused, before a row
is looked for, or written, where it does not belong.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Integer, SmallInteger, Table, Text

from shared.db.connect import UNREACHABLE
from shared.errors import OperatorError
from shared.sharding.direct import connect_primary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import MetaData

    from shared.sharding.ids import ShardId
    from shared.sharding.topology import ShardConfig, Topology

__all__ = ["TopologyMismatchError", "claim_databases", "ownership_table"]

_CLAIM = """
INSERT INTO ownership (domain, shard, slots, epoch, owned) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
_READ = "SELECT domain, shard, slots, owned FROM ownership"


class TopologyMismatchError(OperatorError):
    """Databases hold something else than the settings say."""


def ownership_table(metadata: MetaData) -> Table:
    """Define the table among a domain's (its migration creates it). It has one row."""
    return Table(
        "ownership",
        metadata,
        Column("is_only", Boolean, primary_key=True, server_default="true"),
        Column("domain", Text, nullable=False),
        Column("shard", Text, nullable=False),
        Column("slots", Integer, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("owned", ARRAY(SmallInteger), nullable=False),
        CheckConstraint("is_only", name="is_only"),
    )


async def claim_databases(domain: str, topology: Topology) -> tuple[ShardId, ...]:
    """Record in each database what it is for, or check it against what was recorded.

    Returns:
        The shards that are down and could not be asked.

    Raises:
        TopologyMismatchError: names each database that is for something else.
    """
    answers = await asyncio.gather(*(_claim(domain, topology, shard) for shard in topology.shards))
    problems = [problem for problem in answers if problem]
    if problems:
        setting = domain.upper()
        raise TopologyMismatchError(
            f"{'; '.join(problems)}: {setting}_SLOTS and {setting}_SHARDS (ids, order, weights and"
            " addresses) must stay as they were when the data were written"
        )
    return tuple(
        shard.id for shard, answer in zip(topology.shards, answers, strict=True) if answer is None
    )


@dataclass(frozen=True, slots=True)
class _Claim:
    domain: str
    shard: str
    slots: int
    owned: tuple[int, ...]


async def _claim(domain: str, topology: Topology, shard: ShardConfig) -> str | None:
    """What is wrong, empty if nothing; None when the shard is down."""
    wanted = _Claim(domain, shard.id, topology.slots, topology.slots_of(shard.id))
    try:
        connection = await connect_primary(shard, application_name="socialnet-start")
        try:
            row = await _record(connection, wanted, topology.epoch)
        finally:
            await connection.close()
    except UNREACHABLE:
        return None
    found = _Claim(row["domain"], row["shard"], row["slots"], tuple(row["owned"]))
    return (
        "" if found == wanted else f"database {domain} on {shard.id} {_difference(found, wanted)}"
    )


async def _record(connection: Any, claim: _Claim, epoch: int) -> Any:  # Any: asyncpg's
    if (row := await connection.fetchrow(_READ)) is not None:
        return row
    values = (claim.domain, claim.shard, claim.slots, epoch, list(claim.owned))
    await connection.execute(_CLAIM, *values)
    return await connection.fetchrow(_READ)


def _difference(found: _Claim, wanted: _Claim) -> str:
    if found.domain != wanted.domain:
        return f"is of {found.domain}"
    if found.shard != wanted.shard:
        return f"is of {found.shard}"
    if found.slots != wanted.slots:
        return f"is one of a deployment with {found.slots} slots, not {wanted.slots}"
    return f"holds the slots {_ranges(found.owned)}, not {_ranges(wanted.owned)}"


def _ranges(slots: Iterable[int]) -> str:
    """``0-127, 130``."""
    runs = groupby(enumerate(sorted(slots)), key=lambda pair: pair[1] - pair[0])
    found = [[slot for _, slot in run] for _, run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in found)
