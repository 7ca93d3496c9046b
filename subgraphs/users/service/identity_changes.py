"""Changing a value that is unique over all shards: another handle, a first e-mail, a phone.

The value is reserved, written with the rest of the change in the user's own transaction, and then
the old one is freed. A crash between these steps costs nothing but time: the claimant is made of
what is changed and of the version of the user's row, so that the same request, sent again, finds
its own reservation and goes on with it. Since the transaction refuses any other version, a claim
made before somebody else's change of the row is void, and requests at the same time do not mix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar
from uuid import UUID, uuid5

from shared.sharding import ReservationLostError
from shared.sharding.identities import ReservationState
from subgraphs.users.errors import AccountInactiveError, UserNotFoundError
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.sharding import EntityId, Identities, Reservation, Shards, WriteSession
    from subgraphs.users.repository import Holdings, HoldingsRepository, IdentityKind

__all__ = ["IdentityChanges", "Write"]

T = TypeVar("T")
Write: TypeAlias = "Callable[[WriteSession], Awaitable[T]]"
"""What is written along with the value, in the user's transaction, whose row is locked.

It changes ``users.updated_at`` when it changes the value.
"""

_CLAIMS = UUID("5f0b8e0e-6c1b-4e0c-9a53-0f6b2c7c2f3a")
_ATTEMPTS = 8  # races with other changes of the same user


class _OutdatedError(Exception):
    """The user has changed since the claim was made; ``now`` is what they hold."""

    def __init__(self, now: Holdings) -> None:
        super().__init__()
        self.now = now


class IdentityChanges:
    """Gives users that exist other unique values."""

    def __init__(
        self, shards: Shards, repository: HoldingsRepository, identities: Identities
    ) -> None:
        self._shards = shards
        self._repository = repository
        self._identities = identities

    async def find(self, user_id: EntityId) -> Holdings:
        """What a user holds who may change it.

        Raises:
            UserNotFoundError: there is no such user.
            AccountInactiveError: the account is not in use.
        """
        async with self._shards.read(user_id.slot, fresh=True) as session:
            return _usable(await self._repository.find(session, user_id))

    async def change(self, user_id: EntityId, kind: IdentityKind, value: str, write: Write[T]) -> T:
        """Run ``write`` in a transaction in which the user may take ``value`` (canonical).

        Raises:
            IdentityTakenError: the value belongs to somebody else.
            ReservationLostError: too slow, or too many changes at once; trying again is right.
            UserNotFoundError: there is no such user.
            AccountInactiveError: the account is not in use.
        """
        for _ in range(_ATTEMPTS):
            held = await self.find(user_id)
            reservation = await self._reserve(user_id, kind, value, held)
            if reservation is not None and reservation.state is ReservationState.CONFIRMED:
                continue  # this very change has been made since it was looked whether it is needed
            try:
                async with self._shards.write(user_id.slot) as session:
                    now = _usable(await self._repository.find_locked(session, user_id))
                    if now.version != held.version:
                        raise _OutdatedError(now)
                    if reservation is not None:
                        await self._identities.fence(session, [reservation])
                    written = await write(session)
            except _OutdatedError as outdated:
                if reservation is not None and outdated.now.values[kind] != value:
                    # void: who could still write by it would need the version that is gone
                    await self._identities.release([reservation])
            else:
                await self._settle(user_id, kind, held, reservation)
                return written
        raise ReservationLostError(kind)

    async def _reserve(
        self, user_id: EntityId, kind: IdentityKind, value: str, held: Holdings
    ) -> Reservation | None:
        """The reservation of the value; None when the user has it already."""
        if held.values[kind] == value:
            return None
        claimant = uuid5(_CLAIMS, f"{user_id} {kind} {held.version.isoformat()} {value}")
        return await self._identities.reserve(kind, value, owner=user_id, claimant=claimant)

    async def _settle(
        self,
        user_id: EntityId,
        kind: IdentityKind,
        before: Holdings,
        reservation: Reservation | None,
    ) -> None:
        """After the commit: the new value is the user's for good, the old one is free."""
        if reservation is None:
            return
        await self._identities.confirm([reservation])
        old = before.values[kind]
        if old is not None:
            await self._identities.withdraw(kind, old, owner=user_id)


def _usable(held: Holdings | None) -> Holdings:
    if held is None:
        raise UserNotFoundError
    if held.status is not AccountStatus.ACTIVE:
        raise AccountInactiveError
    return held
