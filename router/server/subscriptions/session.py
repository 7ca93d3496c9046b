"""Sessions: how long a client's credentials allow what it has open.

Whoever authenticates a client makes a :class:`Session` out of its token. A WebSocket connection or
a stream *holds* the session; when the token expires, or :meth:`Sessions.revoke` is called with one
of its ids (a logout), every holder is told at once and ends. A client without a token holds none.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.server.subscriptions.ending import SESSION_REVOKED, TOKEN_EXPIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.server.access.identity import Identity
    from router.server.subscriptions.ending import EndReason

__all__ = ["Session", "SessionHold", "Sessions", "session_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a token says of time.

    ``ids`` are the names it can be revoked by (its ``jti``, its ``sid``, a user's id);
    ``expires_at`` is in the event loop's time, in seconds, None for never.
    """

    ids: frozenset[str] = frozenset()
    expires_at: float | None = None


def session_of(identity: Identity, *, leeway: float) -> Session:
    """Return the session of a verified caller, revoked by the token's ``jti``, ``sid`` or ``sub``.

    It ends ``leeway`` seconds after the token: so long the token is accepted.
    """
    ids = (identity.claims.get(name) for name in ("jti", "sid", "sub"))
    expires_at = identity.expires_at
    if expires_at is not None:
        expires_at += leeway - time.time() + asyncio.get_running_loop().time()
    return Session(ids=frozenset(one for one in ids if isinstance(one, str)), expires_at=expires_at)


class SessionHold:
    """One holder of a session, until it is released."""

    __slots__ = ("_end", "_registry", "_session", "_timer")

    def __init__(
        self, registry: Sessions, session: Session, end: Callable[[EndReason], None]
    ) -> None:
        self._registry = registry
        self._session = session
        self._end = end
        self._timer: asyncio.TimerHandle | None = None
        if session.expires_at is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(session.expires_at, self.end, TOKEN_EXPIRED)

    def end(self, reason: EndReason) -> None:
        """Release the session and tell the holder why."""
        self.release()
        self._end(reason)

    def release(self) -> None:
        """Stop holding; may be called again."""
        if self._timer is not None:
            self._timer.cancel()
        self._registry.forget(self._session, self)


class Sessions:
    """All sessions that something open holds, in this process."""

    def __init__(self) -> None:
        self._holders: dict[str, set[SessionHold]] = {}

    def hold(self, session: Session, end: Callable[[EndReason], None]) -> SessionHold | None:
        """Call ``end`` once when the session ends; None when it cannot end."""
        if not session.ids and session.expires_at is None:
            return None
        hold = SessionHold(self, session, end)
        for identifier in session.ids:
            self._holders.setdefault(identifier, set()).add(hold)
        return hold

    def revoke(self, identifier: str) -> int:
        """End everything held by sessions of this id; returns how many holders there were."""
        holders = tuple(self._holders.get(identifier, ()))
        for hold in holders:
            hold.end(SESSION_REVOKED)
        return len(holders)

    def forget(self, session: Session, hold: SessionHold) -> None:
        """Drop a holder (see :meth:`SessionHold.release`)."""
        for identifier in session.ids:
            holders = self._holders.get(identifier)
            if holders is not None:
                holders.discard(hold)
                if not holders:
                    del self._holders[identifier]
