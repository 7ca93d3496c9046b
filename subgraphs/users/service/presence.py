"""Presence: who is online, when one was last here, and telling those who watch.

A client sends ``heartbeat`` while it is used. What changes (somebody comes online, leaves, hides)
is announced on the user's live channel; that nothing came for a minute is noticed by whoever
watches, each with the deadlines of those it watches, so that no announcement can be lost. What a
watcher is told is read anew at that moment, with the privacy settings as they are then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import structlog
from redis.exceptions import RedisError
from typing_extensions import override

from shared.events import Event, EventPayload
from shared.sharding import EntityId, ShardError
from subgraphs.users.errors import PresenceUnavailableError
from subgraphs.users.events import (
    UserBlocked,
    UserDeactivated,
    UserDeleted,
    UserPrivacyChanged,
    UserReactivated,
    UserSessionsEnded,
    UserUnblocked,
)
from subgraphs.users.repository import StoredPresence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from shared.auth import Viewer
    from shared.cache import RedisClient
    from shared.events import Delivery, LiveFeed, LiveSubscription
    from shared.sharding import Shards
    from subgraphs.users.repository import LastSeenRepository, PresenceStore
    from subgraphs.users.service.profiles import Profile

__all__ = [
    "Look",
    "Presence",
    "PresenceAnnouncer",
    "PresenceConsumer",
    "PresenceService",
    "PresenceWatch",
    "presence_of",
]

_log = structlog.get_logger(__name__)

_RETRY_SECONDS = 2.0

# after these others may see more of a user, or less
_CONCERNING: tuple[type[EventPayload], ...] = (
    UserSessionsEnded,
    UserPrivacyChanged,
    UserBlocked,
    UserUnblocked,
    UserDeactivated,
    UserReactivated,
    UserDeleted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a user is online, and when they were last; ``until`` is when that ends by itself."""

    user_id: EntityId
    is_online: bool
    last_seen: datetime | None
    until: datetime | None = None

    def looks_like(self, other: Presence) -> bool:
        """Whether a watcher would see no difference. While one is online nobody counts minutes."""
        if self.is_online or other.is_online:
            return self.is_online == other.is_online
        return self.last_seen == other.last_seen


def presence_of(profile: Profile, stored: StoredPresence, now: datetime) -> Presence:
    """What the viewer for whom ``profile`` was made sees of the user's presence."""
    if not profile.sight.last_seen:
        return Presence(user_id=profile.id, is_online=False, last_seen=None)
    online = stored.online_until is not None and stored.online_until > now
    return Presence(
        user_id=profile.id,
        is_online=online,
        last_seen=stored.last_seen or profile.last_seen_at,
        until=stored.online_until if online else None,
    )


class PresenceChanged(EventPayload):
    """Look again: goes from process to process through Redis, and is never stored."""

    event_type: ClassVar[str] = "presence.changed"

    user_id: str

    @override
    def entity_id(self) -> str:
        return self.user_id


class PresenceService:
    """Takes signs of life, answers who is online, and lets it be watched."""

    def __init__(
        self,
        shards: Shards,
        store: PresenceStore,
        repository: LastSeenRepository,
        announcer: PresenceAnnouncer,
        live: LiveFeed,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shards = shards
        self._store = store
        self._repository = repository
        self._announcer = announcer
        self._live = live
        self._clock = clock

    def now(self) -> datetime:
        """The time by which presence is judged."""
        return self._clock()

    async def heartbeat(self, viewer: Viewer) -> Presence:
        """A sign of life of the viewer's session, which is online for ``ONLINE_FOR`` from now.

        Raises:
            PresenceUnavailableError: Redis does not take it.
        """
        user_id, now = viewer.require_user(), self._clock()
        device = str(viewer.session_id or user_id)
        try:
            sign = await self._store.beat(user_id, device, now)
            if sign.came_online:
                await self._announcer.announce(user_id)
        except (RedisError, OSError) as error:
            raise PresenceUnavailableError from error
        if sign.to_be_written:
            await self._write(user_id, now)
        return Presence(user_id=user_id, is_online=True, last_seen=now)

    async def load_many(self, ids: Sequence[EntityId]) -> Mapping[EntityId, StoredPresence]:
        """What is stored of these users; one round trip.

        Raises:
            PresenceUnavailableError: Redis does not answer.
        """
        try:
            return await self._store.load_many(ids)
        except (RedisError, OSError) as error:
            raise PresenceUnavailableError from error

    @asynccontextmanager
    async def watch(self, ids: Sequence[EntityId]) -> AsyncIterator[PresenceWatch]:
        """Watch users: each comes once at first, then whenever they have to be looked at again.

        Raises ``LiveInterruptedError`` on entry when Redis cannot be reached.
        """
        unique = tuple(dict.fromkeys(ids))
        async with self._live.subscribe(*map(channel_of, unique)) as changes:
            yield PresenceWatch(unique, changes, slots=self._shards.topology.slots)

    async def _write(self, user_id: EntityId, now: datetime) -> None:
        """To write it down is not worth failing for: the next time is minutes away."""
        try:
            async with self._shards.write(user_id.slot) as session:
                await self._repository.write(session, user_id, now)
        except ShardError as error:
            _log.warning("last seen was not written", error=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """A user to look at."""

    user_id: EntityId
    watch: PresenceWatch

    def again_soon(self) -> None:
        """Look again in some seconds: a shard could not be read."""
        self.watch.expect(self.user_id, _RETRY_SECONDS)

    def again_at(self, until: datetime | None, now: datetime) -> None:
        """Look again then, whatever happens; None: not before something is announced."""
        self.watch.expect(self.user_id, None if until is None else (until - now).total_seconds())


class PresenceWatch:
    """The users to look at, one by one; an asynchronous iterator that ends only by error."""

    def __init__(self, ids: Sequence[EntityId], changes: LiveSubscription, *, slots: int) -> None:
        self._watched = frozenset(ids)
        self._pending = deque(ids)
        self._changes = changes
        self._slots = slots
        self._deadlines: dict[EntityId, float] = {}

    def expect(self, user_id: EntityId, seconds: float | None) -> None:
        """Look at a user again in so many seconds; None: not before something is announced."""
        self._deadlines.pop(user_id, None)
        if seconds is not None:
            self._deadlines[user_id] = asyncio.get_running_loop().time() + max(seconds, 0.0)

    def __aiter__(self) -> PresenceWatch:
        return self

    async def __anext__(self) -> Look:
        return Look(await self._next(), self)

    async def _next(self) -> EntityId:
        while True:
            if self._pending:
                return self._pending.popleft()
            first = min(self._deadlines, key=self._deadlines.__getitem__, default=None)
            try:
                async with asyncio.timeout_at(None if first is None else self._deadlines[first]):
                    event = await anext(self._changes)
            except TimeoutError:
                if first is not None:
                    del self._deadlines[first]
                    return first
                raise
            user_id = EntityId.parse(str(event.payload["userId"]), slots=self._slots)
            if user_id in self._watched:
                return user_id


class PresenceAnnouncer:
    """Says on a user's channel that something has changed."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def announce(self, user_id: EntityId) -> None:
        """Everybody who watches the user looks again."""
        payload = PresenceChanged(user_id=str(user_id))
        event = Event.of(payload, slot=user_id.slot, actor=user_id)
        await self._redis.publish(channel_of(user_id), event.to_json())


class PresenceConsumer:
    """What other events mean for presence: who signs out leaves, who hides is looked at again."""

    def __init__(self, store: PresenceStore, announcer: PresenceAnnouncer, *, slots: int) -> None:
        self._store = store
        self._announcer = announcer
        self._slots = slots

    async def consume(self, delivery: Delivery) -> None:
        """Handle an event; raises in an outage of Redis, and sees the event again."""
        readings = (payload.read(delivery.event) for payload in _CONCERNING)
        match next((told for told in readings if told is not None), None):
            case UserSessionsEnded(user_id=user_id, session_ids=devices):
                await self._store.leave(self._id(user_id), devices)
                await self._announcer.announce(self._id(user_id))
            case UserBlocked(blocker_id=user_id) | UserUnblocked(blocker_id=user_id):
                await self._announcer.announce(self._id(user_id))
            case (
                UserPrivacyChanged(user_id=user_id)
                | UserDeactivated(user_id=user_id)
                | UserReactivated(user_id=user_id)
                | UserDeleted(user_id=user_id)
            ):
                await self._announcer.announce(self._id(user_id))
            case _:
                pass

    def _id(self, text: str) -> EntityId:
        return EntityId.parse(text, slots=self._slots)


def channel_of(user_id: EntityId) -> str:
    """The live channel of a user's presence."""
    return f"presence:{user_id}"
