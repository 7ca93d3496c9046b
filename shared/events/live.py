"""Live delivery: from the relay through Redis pub/sub to the subscriptions of every process.

``LiveConsumer`` publishes an event to the channels it concerns. ``LiveFeed`` holds one pub/sub
connection per process and shares it among all its subscriptions: a channel is subscribed at Redis
while someone reads it.

What readers may rely on: once ``subscribe`` has been entered, every event published to the channel
arrives, once (the relay repeats events after a crash; they are known by their id), in order; or the
subscription ends with ``LiveInterruptedError``. Redis pub/sub itself forgets what is published
while a connection is down, so a lost connection ends all subscriptions rather than leaving a gap.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError

from shared.events.event import Event
from shared.events.live_errors import LiveInterruptedError
from shared.events.tasks import end_task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from uuid import UUID

    from redis.asyncio.client import PubSub

    from shared.cache import RedisClient
    from shared.events.event import Delivery

__all__ = ["LiveConsumer", "LiveFeed", "LiveSubscription"]

_log = structlog.get_logger(__name__)

_READ_SECONDS = 10.0  # between two health checks of the connection
_CONFIRM_SECONDS = 5.0
_REMEMBERED_IDS = 1024
# keeps the connection subscribed, hence readable, while nobody is listening
_IDLE_CHANNEL = "live:idle"


class LiveConsumer:
    """Publishes events to Redis.

    ``channels`` says which channels an event concerns; none is fine.
    """

    def __init__(self, redis: RedisClient, channels: Callable[[Event], Iterable[str]]) -> None:
        self._redis = redis
        self._channels = channels

    async def consume(self, delivery: Delivery) -> None:
        """Publish the event. Raises when Redis does not take it."""
        for channel in self._channels(delivery.event):
            await self._redis.publish(channel, delivery.event.to_json())


class LiveSubscription:
    """The events of its channels from the moment of subscribing on; an asynchronous iterator that
    ends only by error.
    """

    def __init__(self, capacity: int) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(capacity + 1)
        self._capacity = capacity
        self._interrupted = False
        self._seen: OrderedDict[UUID, None] = OrderedDict()

    def offer(self, event: Event) -> None:
        """Take an event in; a reader that is ``capacity`` events behind is interrupted."""
        if self._interrupted or self._repeated(event):
            return
        if self._queue.qsize() >= self._capacity:
            self.interrupt()
            return
        self._queue.put_nowait(event)

    def interrupt(self) -> None:
        """End the subscription after what has already arrived."""
        if not self._interrupted:
            self._interrupted = True
            self._queue.put_nowait(None)

    def __aiter__(self) -> LiveSubscription:
        return self

    async def __anext__(self) -> Event:
        event = await self._queue.get()
        if event is None:
            self._queue.put_nowait(None)
            raise LiveInterruptedError
        return event

    def _repeated(self, event: Event) -> bool:
        if event.id in self._seen:
            return True
        self._seen[event.id] = None
        if len(self._seen) > _REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return False


class LiveFeed:
    """Subscriptions of this process to Redis channels.

    Args:
        redis: whose connection is used; not closed here.
        capacity: how many events a reader may be behind.
        retry: seconds between attempts to reach Redis again.
    """

    def __init__(self, redis: RedisClient, *, capacity: int = 1000, retry: float = 0.5) -> None:
        self._redis = redis
        self._capacity = capacity
        self._retry = retry
        self._readers: dict[str, set[LiveSubscription]] = {}
        self._confirmations: dict[str, asyncio.Future[None]] = {}
        self._confirmed: set[str] = set()
        # subscribing and unsubscribing one channel must reach Redis in the order decided here
        self._commands = asyncio.Lock()
        self._pubsub: PubSub | None = None
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to read. Does not wait for Redis: a service can start before it."""
        self._task = asyncio.create_task(self._run(), name="live-feed")

    async def stop(self) -> None:
        """End every subscription and let go of the connection."""
        if self._task is not None:
            await end_task(self._task)
            self._task = None
        self._interrupt_all()

    @asynccontextmanager
    async def subscribe(self, *channels: str) -> AsyncIterator[LiveSubscription]:
        """Read ``channels`` as one. On entry Redis has confirmed: whatever is published from then
        on arrives.

        Raises ``LiveInterruptedError`` on entry when Redis cannot be reached.
        """
        subscription = LiveSubscription(self._capacity)
        try:
            for channel in channels:
                await self._join(channel, subscription)
            yield subscription
        finally:
            for channel in channels:
                await self._leave(channel, subscription)

    async def _join(self, channel: str, subscription: LiveSubscription) -> None:
        async with self._commands:
            first = channel not in self._readers
            # known to the dispatcher before Redis confirms: the next message may be dispatched
            # before we run again
            self._readers.setdefault(channel, set()).add(subscription)
            if not first:
                return
            try:
                async with asyncio.timeout(_CONFIRM_SECONDS):
                    await self._connected.wait()
                    await self._subscribe(channel)
            except (RedisError, OSError) as error:  # OSError: TimeoutError too
                raise LiveInterruptedError from error
            finally:
                if channel not in self._confirmed:
                    await self._drop(channel)

    async def _subscribe(self, channel: str) -> None:
        confirmation = asyncio.get_running_loop().create_future()
        self._confirmations[channel] = confirmation
        try:
            await self._open_pubsub().subscribe(channel)
            await confirmation
            self._confirmed.add(channel)
        finally:
            self._confirmations.pop(channel, None)

    async def _leave(self, channel: str, subscription: LiveSubscription) -> None:
        async with self._commands:
            readers = self._readers.get(channel)
            if readers is None or subscription not in readers:
                return  # interrupted meanwhile
            readers.discard(subscription)
            if not readers:
                await self._drop(channel)

    async def _drop(self, channel: str) -> None:
        """Forget a channel here, and at Redis if it can be reached."""
        self._readers.pop(channel, None)
        self._confirmed.discard(channel)
        if self._pubsub is not None:
            with suppress(
                RedisError, OSError
            ):  # a lost connection has forgotten the channel anyway
                await self._pubsub.unsubscribe(channel)

    def _open_pubsub(self) -> PubSub:
        if self._pubsub is None:
            raise LiveInterruptedError
        return self._pubsub

    async def _run(self) -> None:
        while True:
            try:
                await self._read()
            except (RedisError, OSError) as error:
                _log.warning("live delivery lost its connection", error=type(error).__name__)
            finally:
                self._interrupt_all()
            await asyncio.sleep(self._retry)

    async def _read(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(_IDLE_CHANNEL)
            self._pubsub = pubsub
            while True:
                message = await pubsub.get_message(timeout=_READ_SECONDS)
                if message is not None:
                    self._dispatch(message)

    def _dispatch(self, message: dict[str, Any]) -> None:  # Any: redis-py's own message form
        channel = message["channel"].decode()
        match message["type"]:
            case "message":
                self._offer(channel, message["data"])
            case "subscribe" if channel == _IDLE_CHANNEL and not self._connected.is_set():
                self._connected.set()
            case "subscribe" if (confirmed := self._confirmations.get(channel)) is not None:
                if not confirmed.done():
                    confirmed.set_result(None)
            case "subscribe":
                # nobody asked: the client has reconnected by itself and subscribed anew, so there
                # may be a gap
                self._interrupt(channel)
            case _:
                pass

    def _offer(self, channel: str, data: bytes) -> None:
        try:
            event = Event.model_validate_json(data)
        except ValidationError:
            _log.exception("not an event", channel=channel)
            return
        for subscription in self._readers.get(channel, ()):
            subscription.offer(event)

    def _interrupt(self, channel: str) -> None:
        self._confirmed.discard(channel)
        for subscription in self._readers.pop(channel, ()):
            subscription.interrupt()

    def _interrupt_all(self) -> None:
        self._connected.clear()
        self._pubsub = None
        for confirmed in self._confirmations.values():
            if not confirmed.done():
                confirmed.set_exception(LiveInterruptedError())
        for channel in list(self._readers):
            self._interrupt(channel)
