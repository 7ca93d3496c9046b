"""Values that must be unique over all shards (e-mail, phone, handle).

A row of ``identities`` is placed by the hash of its own value, so one primary key on one shard
decides who has it. To take values for an owner whose row may live on another shard:

1. ``reserve`` each value for the owner's ID: a pending row with a lease. Exactly one claimant gets
   it.
2. In the owner's transaction: ``fence`` the reservations, then write the owner's row. Values in the
   owner's own slot are confirmed by the fence, in that transaction; for the others it checks that
   the lease is good for long enough.
3. ``confirm`` the rest after the commit.

``release`` them instead of steps 2 and 3 when the owner will surely not be written (another value
was taken). After a commit whose outcome is unknown, do nothing: the lease sorts it out.

**A crash** leaves pending rows. When the lease has ended, the next claimant looks whether the
owner's row carries the value (``holds``): if it does, the crash came after step 2 and the value
stays with its owner, else it is taken over. A crash after an owner dropped a value and before
``withdraw`` leaves a confirmed row that its owner does not carry; it is taken over in the same way.
So a row decides who *may* have a value, and ``holds`` who has it.

**A retry** by the same claimant (the same ``clientRequestId``) gets the same reservations, with the
owner's ID of the first attempt, and finishes the same registration. Attempts of one claimant may
run at once only if one of their values lies in the owner's slot: there the fence and ``release``
exclude each other by the row's lock.

**A slow claimant** cannot write its owner after a take-over: the fence refuses it in the last part
of the lease, and that part is longer than PostgreSQL lets a transaction live
(``ShardSettings.transaction_timeout``) plus the skew of two clocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from shared.sharding import identity_statements as sql
from shared.sharding.errors import ShardError
from shared.sharding.gather import gather_shards
from shared.sharding.identity_rows import (
    IdentityTakenError,
    Reservation,
    ReservationLostError,
    ReservationState,
    identities_table,
    reservation_of,
)
from shared.sharding.ids import EntityId
from shared.sharding.slots import slot_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import CursorResult, Executable, Row

    from shared.sharding.ids import ShardId, Slot
    from shared.sharding.sessions import ReadSession, Session, WriteSession
    from shared.sharding.shards import Shards

__all__ = [
    "DEFAULT_LEASE",
    "Holds",
    "Identities",
    "IdentityTakenError",
    "Reservation",
    "ReservationLostError",
    "ReservationState",
    "identities_table",
]

Holds: TypeAlias = Callable[[EntityId, str, str], Awaitable[bool]]
"""``holds(owner, kind, value)``: does the owner's row exist and carry it? (Ask the primary.)"""

DEFAULT_LEASE = timedelta(minutes=5)

_CLOCK_SKEW = timedelta(
    seconds=30
)  # between two shards' clocks; more than that is an outage of its own
_ATTEMPTS = 5  # races of one reserve() with releases and take-overs of the same value

_log = structlog.get_logger(__name__)


class Identities:
    """The protocol above for one domain.

    ``lease`` must be well longer than its last part, in which owners are no longer written (see the
    module's text).
    """

    def __init__(self, shards: Shards, *, holds: Holds, lease: timedelta = DEFAULT_LEASE) -> None:
        self._shards = shards
        self._holds = holds
        self._lease = lease
        self._last_part = timedelta(seconds=shards.settings.transaction_timeout) + _CLOCK_SKEW
        if lease <= self._last_part:
            raise ValueError(f"the lease must be longer than {self._last_part}")

    async def reserve(
        self, kind: str, value: str, *, owner: EntityId, claimant: UUID
    ) -> Reservation:
        """Takes ``value`` (normalised) for ``owner``, or finds what the same claimant took before.

        A result in state ``confirmed`` means that this claimant is through: its owner's row is
        written.

        Raises:
            IdentityTakenError: it is another's.
        """
        slot = slot_for(value, self._shards.topology.slots)
        values = _key(slot, kind, value) | _holder(claimant, owner) | {"lease": self._lease}
        for _ in range(_ATTEMPTS):
            async with self._shards.write(slot) as session:
                row = (await session.execute(sql.RESERVE, values)).one_or_none()
                seen = None if row else await _find(session, slot, kind, value)
            if row is None and seen is not None:
                if seen.claimant == claimant and seen.state == ReservationState.CONFIRMED:
                    return reservation_of(seen)
                if not await self._is_abandoned(seen, owner):
                    raise IdentityTakenError(kind)
                row = await self._take_over(seen, values)
            if row is not None:
                return reservation_of(row)
        raise IdentityTakenError(kind)  # contended: somebody else gets it

    async def fence(self, session: WriteSession, reservations: Sequence[Reservation]) -> None:
        """Step 2, in the owner's transaction, before the owner's row is written.

        Raises:
            ReservationLostError: a lease has ended; leave the transaction by it, so that nothing is
                written.
        """
        remote = [r for r in reservations if not r.is_local and r.state is ReservationState.PENDING]
        for reservation in reservations:
            if session.slot != reservation.owner.slot:
                raise ValueError("the transaction is not in the owner's slot")
            if reservation.is_local:
                confirmed = await session.execute(sql.CONFIRM, _parameters(reservation))
                if confirmed.rowcount != 1:
                    raise ReservationLostError(reservation.kind)
        if remote:
            first = min(remote, key=lambda reservation: reservation.expires_at)
            moment = {"moment": first.expires_at - self._last_part}
            if not (await session.execute(sql.IS_BEFORE, moment)).scalar_one():
                raise ReservationLostError(first.kind)

    async def confirm(self, reservations: Sequence[Reservation]) -> None:
        """Step 3. Idempotent.

        An outage is only logged: the owner's row is written, and ``holds`` speaks for it.
        """
        for reservation in reservations:
            if not reservation.is_local:
                await self._try("confirm", sql.CONFIRM, reservation)

    async def release(self, reservations: Sequence[Reservation]) -> None:
        """Gives pending reservations back, when the owner will surely not be written.

        Idempotent; an outage is only logged.

        When one in the owner's slot is not there to be released, another attempt of the same
        claimant has got further, and needs the others.
        """
        for reservation in sorted(reservations, key=lambda r: not r.is_local):
            released = await self._try("release", sql.RELEASE, reservation)
            if reservation.is_local and not released:
                return

    async def withdraw(self, kind: str, value: str, *, owner: EntityId) -> None:
        """Frees a value that the owner's row does not carry any more (a changed handle).
        Idempotent.
        """
        slot = slot_for(value, self._shards.topology.slots)
        async with self._shards.read(slot, fresh=True) as session:
            seen = await _find(session, slot, kind, value)
        if seen is None or _owner(seen) != owner or seen.state != ReservationState.CONFIRMED:
            return
        # The claimant as it was before asking: a later attempt of the owner to get the value back
        # has another one.
        if not await self._holds(owner, kind, value):
            await self._try("withdraw", sql.WITHDRAW, reservation_of(seen))

    async def find(self, kind: str, value: str, *, fresh: bool = False) -> EntityId | None:
        """The owner of a value, None when nobody has it or nobody finished taking it.

        Right after a change the owner's row may already carry another value: compare it where that
        matters. ``fresh``: as it is now, where something is decided by it.
        """
        slot = slot_for(value, self._shards.topology.slots)
        async with self._shards.read(slot, fresh=fresh) as session:
            row = await _find(session, slot, kind, value)
        if row is None:
            return None
        owner = _owner(row)
        if row.state == ReservationState.CONFIRMED or await self._holds(owner, kind, value):
            return owner
        return None

    async def find_candidates(self, kind: str, values: Sequence[str]) -> dict[str, EntityId]:
        """Whose these values may be; one statement per shard, however many there are.

        Reservations count, finished or not: whether the owner's row carries the value is for the
        caller to compare, who reads these rows in any case.

        Raises:
            ShardError: a shard could not be read, so the answer would be incomplete.
        """
        by_shard: dict[ShardId, list[tuple[Slot, str]]] = {}
        for value in values:
            slot = slot_for(value, self._shards.topology.slots)
            by_shard.setdefault(self._shards.topology.shard_of(slot), []).append((slot, value))

        async def find(session: ReadSession) -> CursorResult[Any]:
            wanted = by_shard[session.shard]
            slots, texts = [slot for slot, _ in wanted], [value for _, value in wanted]
            parameters = {"at_kind": kind, "slots": slots, "values": texts}
            return await session.execute(sql.FIND_MANY, parameters)

        found: dict[str, EntityId] = {}
        for answer in (await gather_shards(self._shards, list(by_shard), find)).values():
            if isinstance(answer, ShardError):
                raise answer
            found.update({row.value: _owner(row) for row in answer})
        return found

    async def _is_abandoned(self, seen: Row[Any], owner: EntityId) -> bool:
        """Whether this row, another claimant's, may be taken over."""
        confirmed = seen.state == ReservationState.CONFIRMED
        if not confirmed and not seen.expired:
            return False
        if _owner(seen) == owner:  # an earlier attempt of the same owner
            return True
        try:
            held = await self._holds(_owner(seen), seen.kind, seen.value)
        except ShardError:
            if confirmed:  # hardly ever abandoned, and the refusal needs no shard
                return False
            raise
        if held and not confirmed:
            await self._try("repair", sql.CONFIRM, reservation_of(seen))
        return not held

    async def _take_over(self, seen: Row[Any], values: Mapping[str, object]) -> Row[Any] | None:
        parameters = {
            **values,
            "seen_claimant": seen.claimant,
            "seen_owner_id": seen.owner_id,
            "seen_state": seen.state,
        }
        async with self._shards.write(seen.slot) as session:
            return (await session.execute(sql.TAKE_OVER, parameters)).one_or_none()

    async def _try(self, step: str, statement: Executable, reservation: Reservation) -> bool:
        """Whether the statement changed the row. An outage is only logged: the lease or ``holds``
        makes up for it.
        """
        try:
            async with self._shards.write(reservation.slot) as session:
                result = await session.execute(statement, _parameters(reservation))
        except ShardError as error:
            _log.warning(
                "identity step put off", step=step, kind=reservation.kind, shard=error.shard
            )
            return False
        return result.rowcount == 1


async def _find(session: Session, slot: Slot, kind: str, value: str) -> Row[Any] | None:
    return (await session.execute(sql.FIND, _key(slot, kind, value))).one_or_none()


def _owner(row: Row[Any]) -> EntityId:
    return EntityId(row.owner_slot, row.owner_id)


def _key(slot: Slot, kind: str, value: str) -> dict[str, object]:
    return {"at_slot": slot, "at_kind": kind, "at_value": value}


def _holder(claimant: UUID, owner: EntityId) -> dict[str, object]:
    return {"new_claimant": claimant, "new_owner_slot": owner.slot, "new_owner_id": owner.uuid}


def _parameters(reservation: Reservation) -> dict[str, object]:
    key = _key(reservation.slot, reservation.kind, reservation.value)
    return key | _holder(reservation.claimant, reservation.owner)
