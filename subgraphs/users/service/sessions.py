"""Sessions: opened by signing in, kept by refreshing, ended by their user or by misuse.

A session is one sign-in on one device. It lives as long as somebody refreshes it, and each refresh
token works once: it is exchanged for an access token and the next refresh token. A token that is
shown again has been stolen, from whoever shows it or by them, so the session ends for both. One
exception: the token exchanged last may be shown again for a few seconds, and gets the same answer,
as answers get lost and two tabs refresh at the same time.

What ends a session is announced as ``user.sessions_ended`` in the same transaction; that event
makes its access tokens void and ends what is open with them (``revocations``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from shared.events import append
from shared.sharding import EntityId
from subgraphs.users.errors import (
    RefreshTokenInvalidError,
    RefreshTokenReusedError,
    SessionExpiredError,
    SessionNotFoundError,
)
from subgraphs.users.events import UserSessionsEnded
from subgraphs.users.repository import SessionRecord, UsedRefreshToken
from subgraphs.users.service.profiles import Profile, present_own
from subgraphs.users.service.refresh_tokens import RefreshToken, new_salt
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Client, IssuedToken, TokenIssuer, Viewer
    from shared.errors import SocialnetError
    from shared.limits import RateLimiter
    from shared.sharding import Shards, Slot, WriteSession
    from subgraphs.users.repository import SessionRepository, UserRecord, UserRepository
    from subgraphs.users.service.limits import AccountLimits

__all__ = ["SessionPolicy", "SessionService", "SignedIn"]

_log = structlog.get_logger(__name__)

_LISTED = 100
_KEPT_AFTER_END = timedelta(days=1)  # an old token is still told from a forged one
_PRUNE_BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """``life``: without a refresh a session ends after it. ``grace``: so long an exchange is
    answered again.
    """

    life: timedelta = timedelta(days=30)
    grace: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user with fresh tokens."""

    profile: Profile
    access_token: IssuedToken
    refresh_token: str


class SessionService:
    """Opens, refreshes, lists and ends sessions."""

    def __init__(
        self,
        shards: Shards,
        repository: SessionRepository,
        users: UserRepository,
        issuer: TokenIssuer,
        limiter: RateLimiter,
        limits: AccountLimits,
        policy: SessionPolicy,
    ) -> None:
        self._shards = shards
        self._repository = repository
        self._users = users
        self._issuer = issuer
        self._limiter = limiter
        self._limits = limits
        self._policy = policy

    @property
    def token_seconds(self) -> int:
        """How long an access token lives."""
        return int(self._issuer.ttl.total_seconds())

    async def open(
        self, session: WriteSession, user: UserRecord, scopes: frozenset[str], client: Client
    ) -> SignedIn:
        """Open a session of a user, in the caller's transaction."""
        now = datetime.now(UTC)
        token = RefreshToken.new(EntityId.new(user.id.slot))
        record = SessionRecord(
            id=token.session_id,
            user_id=user.id,
            refresh_token_hash=token.hash,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._policy.life,
            user_agent=client.user_agent,
            ip=client.address,
        )
        await self._repository.insert(session, record)
        return self._signed_in(user, scopes, token)

    async def refresh(self, text: str, client: Client) -> SignedIn:
        """Exchange a refresh token for an access token and the next refresh token.

        Raises:
            RefreshTokenInvalidError: it is no token of an open session; nothing has changed.
            RefreshTokenReusedError: it had been exchanged before; its session has been ended.
            SessionExpiredError: nobody has refreshed the session for too long.
            RateLimitedError: too often from this address, or for this session.
        """
        await self._limiter.hit(self._limits.refresh_address, client.limit_key)
        token = RefreshToken.parse(text, slots=self._shards.topology.slots)
        if token is None:
            raise RefreshTokenInvalidError
        await self._limiter.hit(self._limits.refresh_session, str(token.session_id))
        async with self._shards.write(token.session_id.slot) as session:
            answer = await self._exchange(session, token, client)
        # raised only now: the end of a session has to be committed
        if not isinstance(answer, SignedIn):
            raise answer
        return answer

    async def list_sessions(self, viewer: Viewer) -> list[SessionRecord]:
        """The viewer's open sessions, the last used first; at most 100."""
        user_id = viewer.require_user()
        async with self._shards.read(user_id.slot) as session:
            return await self._repository.list_open(
                session, user_id, now=datetime.now(UTC), limit=_LISTED
            )

    async def end_current(self, viewer: Viewer) -> bool:
        """End the session that the viewer's token is of; False when it has none, or is over."""
        user_id = viewer.require_user()
        if viewer.session_id is None or viewer.session_id.slot != user_id.slot:
            return False
        return await self._end_one(user_id, viewer.session_id)

    async def end_one(self, viewer: Viewer, session_id: EntityId) -> None:
        """End one of the viewer's own sessions. ``SessionNotFoundError`` for any other."""
        user_id = viewer.require_user()
        if session_id.slot != user_id.slot or not await self._end_one(user_id, session_id):
            raise SessionNotFoundError

    async def end_everywhere(self, viewer: Viewer) -> int:
        """End all of the viewer's sessions; how many there were."""
        user_id = viewer.require_user()
        async with self._shards.write(user_id.slot) as session:
            return await self.end_all(session, user_id)

    async def end_all(
        self, session: WriteSession, user_id: EntityId, *, keep: EntityId | None = None
    ) -> int:
        """End all sessions of a user except ``keep``, in the caller's transaction; how many."""
        ended = await self._repository.end_all(session, user_id, now=datetime.now(UTC), keep=keep)
        await _announce(session, user_id, ended)
        return len(ended)

    async def prune(self, slot: Slot) -> int:
        """Forget what is long over, in one slot; how many sessions and tokens that were."""
        now = datetime.now(UTC)
        pruned = 0
        for prune, before in (
            (self._repository.prune_sessions, now - _KEPT_AFTER_END),
            (self._repository.prune_used, now - self._policy.life),
        ):
            batch = _PRUNE_BATCH
            while batch == _PRUNE_BATCH:
                async with self._shards.write(slot) as session:
                    batch = await prune(session, before=before, limit=_PRUNE_BATCH)
                pruned += batch
        return pruned

    async def _end_one(self, user_id: EntityId, session_id: EntityId) -> bool:
        async with self._shards.write(user_id.slot) as session:
            ended = await self._repository.end_one(
                session, user_id, session_id, now=datetime.now(UTC)
            )
            await _announce(session, user_id, ended)
        return bool(ended)

    async def _exchange(
        self, session: WriteSession, token: RefreshToken, client: Client
    ) -> SignedIn | SocialnetError:
        """What a refresh answers; the row's lock puts those of one session in order."""
        record = await self._repository.find_locked(session, token.session_id)
        if record is None:
            return RefreshTokenInvalidError()
        now = datetime.now(UTC)
        if not token.is_stored_as(record.refresh_token_hash):
            return await self._exchange_again(session, record, token, now)
        if (refusal := _refusal(record, now)) is not None:
            return refusal
        salt = new_salt()
        successor = token.successor(salt)
        answer = await self._issue(session, record, successor)
        if isinstance(answer, SignedIn):
            renewed = replace(
                record,
                refresh_token_hash=successor.hash,
                last_used_at=now,
                expires_at=now + self._policy.life,
                user_agent=client.user_agent,
                ip=client.address,
            )
            used = UsedRefreshToken(
                session_id=record.id, token_hash=token.hash, used_at=now, successor_salt=salt
            )
            await self._repository.rotate(session, renewed, used)
        return answer

    async def _exchange_again(
        self, session: WriteSession, record: SessionRecord, token: RefreshToken, now: datetime
    ) -> SignedIn | SocialnetError:
        """A token that is not the session's last one: forged, shown twice in a hurry, or stolen."""
        used = await self._repository.find_used(session, record.id, token.hash)
        if used is None:
            return RefreshTokenInvalidError()
        if (refusal := _refusal(record, now)) is not None:
            return refusal
        if used.successor_salt is not None and now - used.used_at <= self._policy.grace:
            successor = token.successor(used.successor_salt)
            if successor.is_stored_as(record.refresh_token_hash):
                return await self._issue(session, record, successor)
        ended = await self._repository.end_one(session, record.user_id, record.id, now=now)
        await _announce(session, record.user_id, ended)
        _log.warning("refresh token reused", session=str(record.id), user=str(record.user_id))
        return RefreshTokenReusedError()

    async def _issue(
        self, session: WriteSession, record: SessionRecord, token: RefreshToken
    ) -> SignedIn | SocialnetError:
        known = await self._users.find_credentials(session, record.user_id)
        if known is None or known.user.status is not AccountStatus.ACTIVE:
            return RefreshTokenInvalidError()
        return self._signed_in(known.user, known.scopes, token)

    def _signed_in(self, user: UserRecord, scopes: frozenset[str], token: RefreshToken) -> SignedIn:
        issued = self._issuer.issue(user_id=user.id, session_id=token.session_id, scopes=scopes)
        return SignedIn(profile=present_own(user), access_token=issued, refresh_token=token.text)


def _refusal(record: SessionRecord, now: datetime) -> SocialnetError | None:
    """Why a session cannot be refreshed, with a token of its own."""
    if record.revoked_at is not None:
        return RefreshTokenInvalidError()
    return SessionExpiredError() if record.expires_at <= now else None


async def _announce(session: WriteSession, user_id: EntityId, ended: list[EntityId]) -> None:
    if ended:
        event = UserSessionsEnded(
            user_id=str(user_id), session_ids=tuple(str(one) for one in ended)
        )
        await append(session, event, actor=user_id)
