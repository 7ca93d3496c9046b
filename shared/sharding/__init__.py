"""Sharded PostgreSQL: IDs, topology, sessions, loaders, scatter-gather, uniqueness over shards.

``EntityId`` (ids) -> ``Slot`` -> ``Topology`` (which shard) -> ``Shards`` (a session there) -> SQL
in a repository.
"""

from shared.sharding.errors import ShardError, ShardTimeoutError, ShardUnavailableError
from shared.sharding.gather import gather_shards
from shared.sharding.identities import (
    Identities,
    IdentityTakenError,
    Reservation,
    ReservationLostError,
)
from shared.sharding.ids import DEFAULT_SLOTS, EntityId, InvalidIdError, ShardId, Slot
from shared.sharding.loader import LoadMany, ShardedLoader
from shared.sharding.scatter import ScatterEdge, ScatterPage, ScatterQuery, scatter
from shared.sharding.sessions import ReadSession, Session, WriteSession
from shared.sharding.settings import ShardSettings
from shared.sharding.shards import Shards
from shared.sharding.slots import slot_for
from shared.sharding.statements import StatementCounts, count_statements
from shared.sharding.stats import ServerRole, ServerStats, read_stats
from shared.sharding.topology import ShardConfig, Topology, TopologyError
from shared.sharding.walk import SlotWalk

__all__ = [
    "DEFAULT_SLOTS",
    "EntityId",
    "Identities",
    "IdentityTakenError",
    "InvalidIdError",
    "LoadMany",
    "ReadSession",
    "Reservation",
    "ReservationLostError",
    "ScatterEdge",
    "ScatterPage",
    "ScatterQuery",
    "ServerRole",
    "ServerStats",
    "Session",
    "ShardConfig",
    "ShardError",
    "ShardId",
    "ShardSettings",
    "ShardTimeoutError",
    "ShardUnavailableError",
    "ShardedLoader",
    "Shards",
    "Slot",
    "SlotWalk",
    "StatementCounts",
    "Topology",
    "TopologyError",
    "WriteSession",
    "count_statements",
    "gather_shards",
    "read_stats",
    "scatter",
    "slot_for",
]
