"""How signed-in users change what they sign in with: an e-mail for a phone account, a password."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from shared.auth import check_password_rules
from subgraphs.users.errors import AccountInactiveError, EmailPresentError, WrongPasswordError
from subgraphs.users.repository import IdentityKind
from subgraphs.users.service import values
from subgraphs.users.service.profiles import Profile, present_own
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import PasswordHashing, Viewer
    from shared.limits import RateLimiter
    from shared.sharding import EntityId, Session, Shards, WriteSession
    from subgraphs.users.repository import Credentials, HoldingsRepository, UserRepository
    from subgraphs.users.service.identity_changes import IdentityChanges
    from subgraphs.users.service.limits import AccountLimits
    from subgraphs.users.service.sessions import SessionService
    from subgraphs.users.service.signing_in import SigningIn

__all__ = ["CredentialService"]


class CredentialService:
    """Changes e-mail and password, for who knows the old one."""

    def __init__(
        self,
        shards: Shards,
        users: UserRepository,
        holdings: HoldingsRepository,
        passwords: PasswordHashing,
        signing_in: SigningIn,
        changes: IdentityChanges,
        sessions: SessionService,
        limiter: RateLimiter,
        limits: AccountLimits,
    ) -> None:
        self._shards = shards
        self._users = users
        self._holdings = holdings
        self._passwords = passwords
        self._signing_in = signing_in
        self._changes = changes
        self._sessions = sessions
        self._limiter = limiter
        self._limits = limits

    async def link_email(self, viewer: Viewer, email: str, password: str) -> Profile:
        """Give an account that has none an e-mail and a password; the same once more is the same.

        Raises:
            BadUserInputError: something may not be entered.
            IdentityTakenError: the e-mail belongs to somebody else.
            EmailPresentError: the account has another e-mail, or another password.
            RateLimitedError: too many passwords tried for this account.
        """
        user_id = viewer.require_user()
        canonical = values.email(email)
        check_password_rules(password)
        await self._limiter.hit(self._limits.password_user, str(user_id))
        held = await self._changes.find(user_id)
        if held.email is None:
            password_hash = await self._passwords.hash(password)
            write = partial(self._write_email, user_id, canonical, password_hash)
            try:
                return await self._changes.change(user_id, IdentityKind.EMAIL, canonical, write)
            except EmailPresentError:
                held = await self._changes.find(user_id)  # the same request may have been faster
        check = await self._passwords.check(password, held.password_hash)
        if held.email != canonical or not check.matches:
            raise EmailPresentError
        async with self._shards.read(user_id.slot, fresh=True) as session:
            return await self._own_profile(session, user_id)

    async def change_password(self, viewer: Viewer, current: str, new: str) -> None:
        """Change the password; every session but the caller's ends.

        Raises:
            BadUserInputError: the new password may not be had.
            WrongPasswordError: the current one is wrong, or there is none.
            RateLimitedError: too many passwords tried for this account.
        """
        user_id = viewer.require_user()
        check_password_rules(new, field="newPassword")
        known = await self.prove(user_id, current, field="currentPassword")
        new_hash = await self._passwords.hash(new)
        async with self._shards.write(user_id.slot) as session:
            held = await self._holdings.find_locked(session, user_id)
            if held is None or held.password_hash != known.password_hash:
                raise WrongPasswordError(field="currentPassword")  # another request was faster
            await self._users.update_password(session, user_id, new_hash)
            await self._sessions.end_all(session, user_id, keep=viewer.session_id)

    async def prove(self, user_id: EntityId, password: str, *, field: str) -> Credentials:
        """Check the password of a signed-in user. Raises as ``change_password`` does."""
        await self._limiter.hit(self._limits.password_user, str(user_id))
        known = await self._signing_in.find_by_id(user_id)
        if known is None or known.user.status is AccountStatus.DELETED:
            raise AccountInactiveError
        check = await self._passwords.check(password, known.password_hash)
        if not check.matches:
            raise WrongPasswordError(field=field)
        return known

    async def _write_email(
        self, user_id: EntityId, email: str, password_hash: str, session: WriteSession
    ) -> Profile:
        held = await self._holdings.find(session, user_id)
        if held is None or held.email is not None:
            raise EmailPresentError
        await self._holdings.set_email(
            session,
            user_id,
            email=email,
            password_hash=password_hash,
            updated_at=datetime.now(UTC),
        )
        return await self._own_profile(session, user_id)

    async def _own_profile(self, session: Session, user_id: EntityId) -> Profile:
        user = await self._users.find_user(session, user_id)
        if user is None:
            raise AccountInactiveError
        return present_own(user)
