"""Leaving: for the time being (deactivation), or for good (deletion).

A deactivated account is hidden until its user signs in again. A deleted one is a nameless stub at
once, and what is known of the user goes when the grace period is over (``erasure``). Until then
nobody else gets the e-mail or the handle, so that nobody can pose as who has just left. The phone
number is free at once: who has it proves that with a code each time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.events import append
from subgraphs.users.errors import AccountInactiveError, WrongPasswordError
from subgraphs.users.events import UserDeactivated, UserDeleted
from subgraphs.users.repository import IdentityKind
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.sharding import EntityId, Identities, Shards
    from subgraphs.users.repository import HoldingsRepository
    from subgraphs.users.service.credentials import CredentialService
    from subgraphs.users.service.sessions import SessionService

__all__ = ["LifecycleService"]


class LifecycleService:
    """Takes accounts out of use."""

    def __init__(
        self,
        shards: Shards,
        holdings: HoldingsRepository,
        identities: Identities,
        credentials: CredentialService,
        sessions: SessionService,
    ) -> None:
        self._shards = shards
        self._holdings = holdings
        self._identities = identities
        self._credentials = credentials
        self._sessions = sessions

    async def deactivate(self, viewer: Viewer) -> None:
        """Hide the viewer's account until the next sign-in, and end all of its sessions.

        Raises:
            AccountInactiveError: the account is not in use.
        """
        user_id = viewer.require_user()
        async with self._shards.write(user_id.slot) as session:
            held = await self._holdings.find_locked(session, user_id)
            if held is None or held.status is not AccountStatus.ACTIVE:
                raise AccountInactiveError
            await self._holdings.set_status(
                session, user_id, AccountStatus.DEACTIVATED, updated_at=datetime.now(UTC)
            )
            await self._sessions.end_all(session, user_id)
            await append(session, UserDeactivated(user_id=str(user_id)), actor=user_id)

    async def delete(self, viewer: Viewer, password: str | None) -> None:
        """Delete the viewer's account, and end all of its sessions.

        Args:
            viewer: whose account.
            password: needed when the account has one.

        Raises:
            AccountInactiveError: the account is gone already.
            WrongPasswordError: the password is wrong, or missing.
            RateLimitedError: too many passwords tried for this account.
        """
        user_id = viewer.require_user()
        proven = await self._prove(user_id, password)
        async with self._shards.write(user_id.slot) as session:
            held = await self._holdings.find_locked(session, user_id)
            if held is None or held.status is AccountStatus.DELETED:
                raise AccountInactiveError
            if held.password_hash != proven:
                raise WrongPasswordError(field="password")  # it has changed since
            await self._holdings.mark_deleted(session, user_id, deleted_at=datetime.now(UTC))
            await self._sessions.end_all(session, user_id)
            await append(session, UserDeleted(user_id=str(user_id)), actor=user_id)
        phone = held.values[IdentityKind.PHONE]
        if phone is not None:
            await self._identities.withdraw(IdentityKind.PHONE, phone, owner=user_id)

    async def _prove(self, user_id: EntityId, password: str | None) -> str | None:
        """The password's hash after the right password; None: the account has none."""
        async with self._shards.read(user_id.slot, fresh=True) as session:
            held = await self._holdings.find(session, user_id)
        if held is None or held.status is AccountStatus.DELETED:
            raise AccountInactiveError
        if held.password_hash is None:
            return None
        if password is None:
            raise WrongPasswordError(field="password")
        return (await self._credentials.prove(user_id, password, field="password")).password_hash
