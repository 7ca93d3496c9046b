"""Sessions: what signing in opens."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.sharding import EntityId
from subgraphs.users.repository import SessionRecord
from subgraphs.users.service.profiles import Profile, present_own

if TYPE_CHECKING:
    from shared.auth import Client, IssuedToken, TokenIssuer
    from shared.sharding import WriteSession
    from subgraphs.users.repository import SessionRepository, UserRecord

__all__ = ["SessionService", "SignedIn"]

REFRESH_TOKEN_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user with a fresh session."""

    profile: Profile
    access_token: IssuedToken
    refresh_token: str


class SessionService:
    """Opens sessions."""

    def __init__(self, repository: SessionRepository, issuer: TokenIssuer) -> None:
        self._repository = repository
        self._issuer = issuer

    @property
    def token_seconds(self) -> int:
        """How long an access token lives."""
        return int(self._issuer.ttl.total_seconds())

    async def open(
        self, session: WriteSession, user: UserRecord, scopes: frozenset[str], client: Client
    ) -> SignedIn:
        """Open a session of a user, in the caller's transaction."""
        now = datetime.now(UTC)
        session_id = EntityId.new(user.id.slot)
        # the ID in front leads to the row; the secret behind it is what counts
        refresh_token = f"{session_id}.{secrets.token_urlsafe(32)}"
        record = SessionRecord(
            id=session_id,
            user_id=user.id,
            refresh_token_hash=hashlib.sha256(refresh_token.encode()).digest(),
            created_at=now,
            expires_at=now + REFRESH_TOKEN_LIFE,
            user_agent=client.user_agent,
            ip=client.address,
        )
        await self._repository.insert(session, record)
        token = self._issuer.issue(user_id=user.id, session_id=session_id, scopes=scopes)
        return SignedIn(profile=present_own(user), access_token=token, refresh_token=refresh_token)
