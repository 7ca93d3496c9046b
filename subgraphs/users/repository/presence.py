"""Where presence is kept: Redis for who is online, a column of `users` for when one was last seen.

A device of a user is online until a moment that every sign of life moves on. In Redis, per user, a
sorted set of devices (sessions) by that moment, and the time of the last sign of life, for a day.
The column outlives Redis; it is written now and then only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, update

from subgraphs.users.tables import users

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.cache import RedisClient
    from shared.sharding import EntityId, WriteSession

__all__ = ["ONLINE_FOR", "LastSeenRepository", "PresenceStore", "SignOfLife", "StoredPresence"]

ONLINE_FOR: Final = timedelta(seconds=60)
"""How long one is online after a sign of life, unless a setting says otherwise."""

_KEPT_SECONDS = 24 * 3600  # longer than between two writes of the column
_WRITTEN_SECONDS = 300  # between two writes of the column


@dataclass(frozen=True, slots=True)
class StoredPresence:
    """``online_until`` may be over; None: no device at all. ``last_seen`` None: not of late."""

    online_until: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What a sign of life changed: whether the user came online, and whether it is time to write
    it down for good.
    """

    came_online: bool
    to_be_written: bool


class PresenceStore:
    """Presence in Redis. Every method raises ``RedisError`` or ``OSError`` in an outage."""

    def __init__(self, redis: RedisClient, *, online_for: timedelta = ONLINE_FOR) -> None:
        self._redis = redis
        self._online_for = online_for

    async def beat(self, user_id: EntityId, device: str, now: datetime) -> SignOfLife:
        """A sign of life of a device; atomic."""
        devices = _devices(user_id)
        async with self._redis.pipeline(transaction=True) as pipeline:
            commands: Any = pipeline  # Any: what is queued is declared as if it were awaited
            commands.zremrangebyscore(devices, "-inf", _milliseconds(now))
            commands.zcard(devices)
            commands.zadd(devices, {device: _milliseconds(now + self._online_for)})
            commands.pexpire(devices, self._online_for)
            commands.set(_last_seen(user_id), _milliseconds(now), ex=_KEPT_SECONDS)
            commands.set(_written(user_id), 1, nx=True, ex=_WRITTEN_SECONDS)
            _, others, _, _, _, first = await pipeline.execute()
        return SignOfLife(came_online=others == 0, to_be_written=bool(first))

    async def leave(self, user_id: EntityId, devices: Sequence[str]) -> None:
        """Devices that are not used any more; others of the user stay online."""
        await self._redis.zrem(_devices(user_id), *devices)

    async def load_many(self, ids: Sequence[EntityId]) -> Mapping[EntityId, StoredPresence]:
        """The presence of all these users in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            commands: Any = pipeline
            for user_id in ids:
                commands.zrange(_devices(user_id), -1, -1, withscores=True)
                commands.get(_last_seen(user_id))
            answers = await pipeline.execute()
        found: dict[EntityId, StoredPresence] = {}
        for user_id, latest, seen in zip(ids, answers[::2], answers[1::2], strict=True):
            found[user_id] = StoredPresence(
                online_until=_moment(latest[0][1]) if latest else None,
                last_seen=None if seen is None else _moment(seen),
            )
        return found


_WRITE = (
    update(users)
    .where((users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_")))
    .values(last_seen_at=bindparam("last_seen_at_"))
)


class LastSeenRepository:
    """The column."""

    async def write(self, session: WriteSession, user_id: EntityId, moment: datetime) -> None:
        """Write down when a user was last seen."""
        parameters = {"slot_": user_id.slot, "id_": user_id.uuid, "last_seen_at_": moment}
        await session.execute(_WRITE, parameters)


def _devices(user_id: EntityId) -> str:
    return f"presence:{user_id}:devices"


def _last_seen(user_id: EntityId) -> str:
    return f"presence:{user_id}:seen"


def _written(user_id: EntityId) -> str:
    return f"presence:{user_id}:written"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: float | bytes) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
