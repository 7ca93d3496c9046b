"""The topology of one domain: which shard owns each slot, and how the shards are reached.

A value: immutable, validated when made, replaced as a whole by one with a greater epoch. IDs never
depend on it; only the way from a slot to a connection does.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from shared.errors import OperatorError
from shared.sharding.ids import DEFAULT_SLOTS, MAX_SLOTS, ShardId, Slot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

__all__ = ["ShardConfig", "Topology", "TopologyError"]

_SHARD_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class TopologyError(OperatorError):
    """The topology contradicts itself."""


@dataclass(frozen=True, slots=True)
class ShardConfig:
    """A physical shard as one domain sees it.

    ``primary`` and ``replicas`` are SQLAlchemy URLs (``postgresql+asyncpg://...``) of the domain's
    database there, one for each server of the shard. They may hold passwords and so never show in a
    repr. Which of the servers is the primary at any time is found out; ``primary`` is the first to
    be asked. When these addresses are PgBouncer's, ``direct`` has those of the servers behind them,
    in the same order. ``weight`` is the share of slots it gets in ``Topology.initial``.
    """

    id: ShardId
    primary: str = field(repr=False)
    replicas: tuple[str, ...] = field(default=(), repr=False)
    weight: int = 1
    direct: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if _SHARD_ID.fullmatch(self.id) is None:
            raise TopologyError(
                f"{self.id!r} is not a shard name: use a-z, 0-9, '-' and '_', at most 32"
            )
        if self.weight < 1:
            raise TopologyError(f"{self.id}: the weight must be at least 1")
        if self.direct and len(self.direct) != len(self.servers):
            raise TopologyError(f"{self.id}: direct must have one address for each server")
        _refuse_duplicates(self.servers, f"address of a server of {self.id}", show=False)

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses for pools, of all servers."""
        return (self.primary, *self.replicas)

    @property
    def direct_servers(self) -> tuple[str, ...]:
        """The addresses past any pooler: for LISTEN, advisory locks, migrations."""
        return self.direct or self.servers

    @property
    def is_pooled(self) -> bool:
        """Whether ``primary`` and ``replicas`` are addresses of PgBouncer."""
        return bool(self.direct)


class _StoredShard(TypedDict):
    id: str
    primary: str
    replicas: list[str]
    direct: list[str]
    weight: int


class _StoredTopology(TypedDict):
    """What ``Topology.to_dict`` writes."""

    epoch: int
    slots: int
    shards: list[_StoredShard]
    owners: list[tuple[str, Annotated[int, Field(ge=1, le=MAX_SLOTS)]]]


_STORED = TypeAdapter(_StoredTopology)


@dataclass(frozen=True, slots=True)
class Topology:
    """Slots -> shards. ``owners[slot]`` holds the slot; every slot has exactly one owner."""

    epoch: int
    slots: int
    shards: tuple[ShardConfig, ...]
    owners: tuple[ShardId, ...]

    def __post_init__(self) -> None:
        if self.epoch < 1:
            raise TopologyError("the epoch must be at least 1")
        if not 1 <= self.slots <= MAX_SLOTS:
            raise TopologyError(f"the number of slots must be between 1 and {MAX_SLOTS}")
        if not self.shards:
            raise TopologyError("there must be at least one shard")
        _refuse_duplicates([shard.id for shard in self.shards], "shard name")
        _refuse_duplicates([shard.primary for shard in self.shards], "primary address", show=False)
        if len(self.owners) != self.slots:
            raise TopologyError(f"{len(self.owners)} owners for {self.slots} slots")
        if unknown := set(self.owners) - {shard.id for shard in self.shards}:
            raise TopologyError(f"slots are owned by unknown shards: {', '.join(sorted(unknown))}")

    @classmethod
    def initial(cls, shards: Sequence[ShardConfig], slots: int = DEFAULT_SLOTS) -> Self:
        """The topology a deployment is born with: contiguous ranges of slots, by weight."""
        if len(shards) > slots:
            raise TopologyError(f"{len(shards)} shards cannot share {slots} slots")
        total = sum(shard.weight for shard in shards)
        ends = accumulate(shard.weight for shard in shards)
        bounds = [0, *(slots * end // total for end in ends)]
        owners = tuple(
            shard.id
            for shard, start, end in zip(shards, bounds, bounds[1:], strict=False)
            for _ in range(start, end)
        )
        return cls(epoch=1, slots=slots, shards=tuple(shards), owners=owners)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Reads what ``to_dict`` wrote. Raises ``TopologyError`` on anything else."""
        try:
            stored = _STORED.validate_python(data)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise TopologyError(f"a stored topology is damaged at {where or 'its top'}") from None
        return cls(
            epoch=stored["epoch"],
            slots=stored["slots"],
            shards=tuple(
                ShardConfig(
                    id=ShardId(shard["id"]),
                    primary=shard["primary"],
                    replicas=tuple(shard["replicas"]),
                    direct=tuple(shard["direct"]),
                    weight=shard["weight"],
                )
                for shard in stored["shards"]
            ),
            owners=tuple(ShardId(owner) for owner, count in stored["owners"] for _ in range(count)),
        )

    def to_dict(self) -> dict[str, object]:
        """JSON-ready, with addresses and their passwords; ``owners`` as ``[owner, count]`` runs."""
        return {
            "epoch": self.epoch,
            "slots": self.slots,
            "shards": [
                {
                    "id": shard.id,
                    "primary": shard.primary,
                    "replicas": list(shard.replicas),
                    "direct": list(shard.direct),
                    "weight": shard.weight,
                }
                for shard in self.shards
            ],
            "owners": [[owner, len(list(run))] for owner, run in groupby(self.owners)],
        }

    @property
    def shard_ids(self) -> tuple[ShardId, ...]:
        """The shards in the order of the topology."""
        return tuple(shard.id for shard in self.shards)

    def shard_of(self, slot: Slot) -> ShardId:
        """The shard that holds this slot."""
        return self.owners[slot]

    def slots_of(self, shard: ShardId) -> tuple[Slot, ...]:
        """The slots that this shard holds, ascending."""
        return tuple(Slot(slot) for slot, owner in enumerate(self.owners) if owner == shard)

    def shard(self, shard: ShardId) -> ShardConfig:
        """The configuration of a shard. Raises ``KeyError`` when there is none of that name."""
        for config in self.shards:
            if config.id == shard:
                return config
        raise KeyError(shard)


def _refuse_duplicates(values: Sequence[str], what: str, *, show: bool = True) -> None:
    for value, count in Counter(values).items():
        if count > 1:
            raise TopologyError(
                f"the {what} {value!r} stands twice" if show else f"one {what} stands twice"
            )
