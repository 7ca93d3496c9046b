"""Tells of ended sessions: the consumer of ``user.sessions_ended``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.revocations.feed import REVOCATION_STREAM
from shared.sharding import EntityId

if TYPE_CHECKING:
    from shared.cache import RedisClient
    from shared.events import Delivery
    from shared.revocations.revoked import RevokedSessions

__all__ = ["RevocationConsumer"]

_EVENT = ("user.sessions_ended", 1)


class RevocationConsumer:
    """Adds the sessions of the event to those that this process knows, and to the stream if there
    is a Redis. Telling twice does no harm.
    """

    def __init__(self, revoked: RevokedSessions, redis: RedisClient | None, *, slots: int) -> None:
        self._revoked = revoked
        self._redis = redis
        self._slots = slots

    async def consume(self, delivery: Delivery) -> None:
        """Handle the event. Raises when Redis does not take it: then it comes again."""
        event = delivery.event
        if (event.type, event.version) != _EVENT:
            return
        sessions = [str(one) for one in _list(event.payload["sessionIds"])]
        for session in sessions:
            self._revoked.add(EntityId.parse(session, slots=self._slots))
        if self._redis is None:
            return
        # older ones concern no token any more
        oldest = max(int((time.time() - self._revoked.remember) * 1000), 0)
        for session in sessions:
            await self._redis.xadd(
                REVOCATION_STREAM, {"sid": session}, minid=oldest, approximate=True
            )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("not an event of this type")
    return value
