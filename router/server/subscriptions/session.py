"""Sessions: how long a client's credentials allow what it does and has open.

Whoever authenticates a client makes a :class:`Session` out of its token. A WebSocket connection or
a stream *holds* the session; when the token expires, or :meth:`Sessions.revoke` is told of a
logout, every holder is told at once and ends. A revocation is remembered until no token can be left
that it is about, so that nothing is opened with it again. A client without a token holds none.

:mod:`.revocations` brings revocations from other processes.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from router.server.subscriptions.ending import SESSION_REVOKED, TOKEN_EXPIRED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from router.server.access.identity import Identity
    from router.server.subscriptions.ending import EndReason

__all__ = ["Revocation", "RevocationClaim", "Session", "SessionHold", "Sessions", "session_of"]


class RevocationClaim(StrEnum):
    """The claims of a token (RFC 7519) by which it can be revoked."""

    TOKEN = "jti"  # noqa: S105 - a claim's name, not a secret
    SESSION = "sid"
    SUBJECT = "sub"


_FORGET_AT_ONCE = 2  # with each that comes: so they cannot become more and more
_CLAIM_NAMES = tuple(claim.value for claim in RevocationClaim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """All tokens with this value of a claim are void; ``at`` is Unix time, in seconds.

    A subject may log in again: of it only what was issued until then is void.
    """

    claim: RevocationClaim
    value: str
    at: float

    def covers(self, issued_at: float | None) -> bool:
        """Whether a token with the claim is void, by its ``iat``, which has whole seconds."""
        if self.claim is not RevocationClaim.SUBJECT or issued_at is None:
            return True
        return issued_at <= self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a token says of time.

    ``ids`` are the claims it can be revoked by. ``issued_at`` is Unix time, ``expires_at`` is in
    the event loop's time, both in seconds, None for never.
    """

    ids: frozenset[tuple[str, str]] = frozenset()
    issued_at: float | None = None
    expires_at: float | None = None


def session_of(identity: Identity, *, leeway: float) -> Session:
    """Return the session of a verified caller, revoked by the token's ``jti``, ``sid`` or ``sub``.

    It ends ``leeway`` seconds after the token: so long the token is accepted.
    """
    expires_at = identity.expires_at
    if expires_at is not None:
        expires_at += leeway - time.time() + asyncio.get_running_loop().time()
    return Session(
        ids=frozenset(_ids(identity)), issued_at=identity.issued_at, expires_at=expires_at
    )


class SessionHold:
    """One holder of a session, until it is released."""

    __slots__ = ("_end", "_registry", "_timer", "session")

    def __init__(
        self, registry: Sessions, session: Session, end: Callable[[EndReason], None]
    ) -> None:
        self.session = session
        self._registry = registry
        self._end = end
        self._timer: asyncio.TimerHandle | None = None
        if session.expires_at is not None:
            self.end_at(session.expires_at, TOKEN_EXPIRED)

    def end_at(self, moment: float, reason: EndReason) -> None:
        """End it at a moment of the event loop's time, in place of the one that was planned."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self.end, reason)

    def end(self, reason: EndReason) -> None:
        """Release the session and tell the holder why."""
        self.release()
        self._end(reason)

    def release(self) -> None:
        """Stop holding; may be called again."""
        if self._timer is not None:
            self._timer.cancel()
        self._registry.forget(self)


class Sessions:
    """All sessions that something open holds, in this process, and those that have been revoked.

    ``remember`` is for how many seconds a revocation is remembered: as long as tokens live.
    """

    def __init__(self, *, remember: float) -> None:
        self._remember = remember
        self._holders: dict[tuple[str, str], set[SessionHold]] = {}
        self._revoked: dict[tuple[str, str], Revocation] = {}  # the oldest first

    def hold(self, session: Session, end: Callable[[EndReason], None]) -> SessionHold | None:
        """Call ``end`` once when the session ends; None when it cannot end."""
        if not session.ids and session.expires_at is None:
            return None
        hold = SessionHold(self, session, end)
        for identifier in session.ids:
            self._holders.setdefault(identifier, set()).add(hold)
        if self._revoked and self._voids(session.ids, session.issued_at):
            hold.end_at(0.0, SESSION_REVOKED)  # it was while its first operation was prepared
        return hold

    def revoke(self, claim: RevocationClaim | str, value: str, *, at: float | None = None) -> int:
        """End everything held by sessions whose token has this claim, and remember that they have
        ended; returns how many holders there were. ``at`` is when, by default now. Raises
        ValueError for a claim that nothing is revoked by.
        """
        now = time.time()
        revocation = Revocation(
            claim=RevocationClaim(claim), value=value, at=now if at is None else at
        )
        key = (revocation.claim.value, value)
        known = self._revoked.pop(key, None)
        self._revoked[key] = revocation if known is None or known.at < revocation.at else known
        self._forget_before(now - self._remember)
        held = tuple(self._holders.get(key, ()))
        ended = [hold for hold in held if revocation.covers(hold.session.issued_at)]
        for hold in ended:
            hold.end(SESSION_REVOKED)
        return len(ended)

    def is_revoked(self, identity: Identity) -> bool:
        """Whether a token that is good otherwise has been revoked."""
        return bool(self._revoked) and self._voids(_ids(identity), identity.issued_at)

    def forget(self, hold: SessionHold) -> None:
        """Drop a holder (see :meth:`SessionHold.release`)."""
        for identifier in hold.session.ids:
            holders = self._holders.get(identifier)
            if holders is not None:
                holders.discard(hold)
                if not holders:
                    del self._holders[identifier]

    def _voids(self, ids: Iterable[tuple[str, str]], issued_at: float | None) -> bool:
        found = (self._revoked.get(identifier) for identifier in ids)
        return any(one is not None and one.covers(issued_at) for one in found)

    def _forget_before(self, moment: float) -> None:
        for key, revocation in tuple(islice(self._revoked.items(), _FORGET_AT_ONCE)):
            if revocation.at >= moment:
                return
            del self._revoked[key]


def _ids(identity: Identity) -> list[tuple[str, str]]:
    claims = identity.claims
    return [(name, value) for name in _CLAIM_NAMES if isinstance(value := claims.get(name), str)]
