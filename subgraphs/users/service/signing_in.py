"""What all ways of signing in share: finding the user, opening a session, making a new user."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.events import append
from subgraphs.users.events import UserReactivated, UserRegistered
from subgraphs.users.repository import IdentityKind
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.auth import Client
    from shared.sharding import EntityId, Identities, Reservation, Shards, WriteSession
    from subgraphs.users.repository import (
        Credentials,
        HoldingsRepository,
        UserRecord,
        UserRepository,
    )
    from subgraphs.users.service.sessions import SessionService, SignedIn

__all__ = ["SigningIn"]


class SigningIn:
    """Finds users by what they sign in with, and lets them in."""

    def __init__(
        self,
        shards: Shards,
        users: UserRepository,
        holdings: HoldingsRepository,
        identities: Identities,
        sessions: SessionService,
    ) -> None:
        self._shards = shards
        self._users = users
        self._holdings = holdings
        self._identities = identities
        self._sessions = sessions

    async def find(self, kind: IdentityKind, value: str) -> Credentials | None:
        """Who holds a value (canonical) now, whatever the state of the account.

        An identity that its owner does not carry any more is cleared away.
        """
        owner = await self._identities.find(kind, value, fresh=True)
        if owner is None:
            return None
        async with self._shards.read(owner.slot, fresh=True) as session:
            known = await self._users.find_credentials(session, owner)
        if known is not None and _carried(known.user, kind) == value:
            return known
        await self._identities.withdraw(kind, value, owner=owner)
        return None

    async def find_by_id(self, user_id: EntityId) -> Credentials | None:
        """A user with what signing in needs."""
        async with self._shards.read(user_id.slot, fresh=True) as session:
            return await self._users.find_credentials(session, user_id)

    async def open(
        self, known: Credentials, client: Client, *, new_hash: str | None = None
    ) -> SignedIn | None:
        """Open a session for a user who has proved who they are; a deactivated account is in use
        again.

        Args:
            known: what the proof was compared with.
            client: where the session is opened from.
            new_hash: to store in the place of the password's hash.

        Returns:
            None when the account was deleted, or its password changed, since ``known`` was read.
        """
        user_id = known.user.id
        async with self._shards.write(user_id.slot) as session:
            held = await self._holdings.find_locked(session, user_id)
            if held is None or held.status is AccountStatus.DELETED:
                return None
            if held.password_hash != known.password_hash:
                return None
            if new_hash is not None:
                await self._users.update_password(session, user_id, new_hash)
            if held.status is AccountStatus.DEACTIVATED:
                await self._reactivate(session, user_id)
            user = await self._users.find_user(session, user_id)
            if user is None:
                return None
            return await self._sessions.open(session, user, known.scopes, client)

    async def create(
        self,
        session: WriteSession,
        user: UserRecord,
        client: Client,
        *,
        password_hash: str | None,
        reservations: Sequence[Reservation],
    ) -> SignedIn | None:
        """Write a new user with a first session, in the caller's transaction; None when this very
        user is there already.

        Raises:
            ReservationLostError: leave the transaction by it.
        """
        await self._identities.fence(session, reservations)
        if not await self._users.insert_user(session, user, password_hash=password_hash):
            return None
        await append(session, _registered(user), actor=user.id)
        return await self._sessions.open(session, user, frozenset(), client)

    async def _reactivate(self, session: WriteSession, user_id: EntityId) -> None:
        await self._holdings.set_status(
            session, user_id, AccountStatus.ACTIVE, updated_at=datetime.now(UTC)
        )
        await append(session, UserReactivated(user_id=str(user_id)), actor=user_id)


def _carried(user: UserRecord, kind: IdentityKind) -> str | None:
    match kind:
        case IdentityKind.EMAIL:
            return user.email
        case IdentityKind.PHONE:
            return user.phone
        case IdentityKind.HANDLE:
            return user.handle


def _registered(user: UserRecord) -> UserRegistered:
    return UserRegistered(
        user_id=str(user.id),
        handle=user.handle,
        display_name=user.display_name,
        created_at=user.created_at,
    )
