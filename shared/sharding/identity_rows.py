"""The ``identities`` table and the values that go through its protocol (see ``identities``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from shared.db.tables import utc_timestamp
from shared.errors import ErrorCode, SocialnetError
from shared.sharding.ids import EntityId

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import MetaData, Row

    from shared.sharding.ids import Slot

__all__ = [
    "IdentityTakenError",
    "Reservation",
    "ReservationLostError",
    "ReservationState",
    "identities_table",
    "reservation_of",
]


class ReservationState(StrEnum):
    """``pending`` until the owner's row is known to be there."""

    PENDING = "pending"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A value that is this claimant's; ``owner`` is on a retry that of the first attempt."""

    slot: Slot
    kind: str
    value: str
    claimant: UUID
    owner: EntityId
    state: ReservationState
    expires_at: datetime  # by the clock of the identity's shard; of no meaning once confirmed

    @property
    def is_local(self) -> bool:
        """Whether it lies in the owner's slot, and so changes in the owner's transaction."""
        return self.slot == self.owner.slot


class IdentityTakenError(SocialnetError):
    """Somebody else has the value, or nearly (``CONFLICT``, ``extensions.field``: the kind)."""

    def __init__(self, kind: str) -> None:
        super().__init__(ErrorCode.CONFLICT, f"This {kind} is taken.", {"field": kind})
        self.kind = kind


class ReservationLostError(SocialnetError):
    """The claimant was too slow: its lease has ended (``CONFLICT``, retryable)."""

    def __init__(self, kind: str) -> None:
        message = f"The reservation of this {kind} has run out. Try again."
        super().__init__(ErrorCode.CONFLICT, message, {"field": kind, "retryable": True})
        self.kind = kind


def identities_table(metadata: MetaData) -> Table:
    """The table, for a domain's ``tables.py``. Its key is the value itself: it has no ``id``."""
    states = ", ".join(f"'{state}'" for state in ReservationState)
    return Table(
        "identities",
        metadata,
        Column("slot", SmallInteger, nullable=False, autoincrement=False),
        Column("kind", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("claimant", Uuid, nullable=False),
        Column("owner_slot", SmallInteger, nullable=False),
        Column("owner_id", Uuid, nullable=False),
        utc_timestamp("expires_at"),
        utc_timestamp("created_at", default_now=True),
        PrimaryKeyConstraint("slot", "kind", "value"),
        CheckConstraint(f"state IN ({states})", name="state"),
        # all that an owner has, when the owner is erased
        Index("identities_owner_idx", "owner_slot", "owner_id"),
    )


def reservation_of(row: Row[tuple[object, ...]]) -> Reservation:
    """A row of the table as a value."""
    return Reservation(
        slot=row.slot,
        kind=row.kind,
        value=row.value,
        claimant=row.claimant,
        owner=EntityId(row.owner_slot, row.owner_id),
        state=ReservationState(row.state),
        expires_at=row.expires_at,
    )
