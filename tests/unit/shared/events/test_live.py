from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from typing_extensions import override

from shared.cache import InProcessRedis, RedisClient
from shared.events import (
    Delivery,
    Event,
    EventPayload,
    LiveConsumer,
    LiveFeed,
    LiveInterruptedError,
    LiveSubscription,
)
from shared.sharding import Slot


class Ticked(EventPayload):
    """For tests."""

    event_type: ClassVar[str] = "clock.ticked"

    number: int

    @override
    def entity_id(self) -> str:
        return "clock"


def _event(number: int = 0) -> Event:
    return Event.of(Ticked(number=number), slot=Slot(3), actor=None)


@pytest.fixture
async def redis() -> AsyncIterator[RedisClient]:
    client = InProcessRedis().client()
    yield client
    await client.aclose()


@pytest.fixture
async def feed(redis: RedisClient) -> AsyncIterator[LiveFeed]:
    started = LiveFeed(redis, capacity=5)
    await started.start()
    yield started
    await started.stop()


async def _publish(redis: RedisClient, event: Event, *channels: str) -> None:
    consumer = LiveConsumer(redis, lambda _: channels)
    await consumer.consume(Delivery(key="clock", event=event))


async def test_what_is_published_after_subscribing_arrives(
    feed: LiveFeed, redis: RedisClient
) -> None:
    for number in range(20):
        event = _event(number)
        async with feed.subscribe("clock") as subscription:
            await _publish(redis, event, "clock")
            async with asyncio.timeout(5):
                assert await anext(subscription) == event


async def test_two_readers_of_a_channel_share_one_subscription(
    feed: LiveFeed, redis: RedisClient
) -> None:
    event = _event()
    async with feed.subscribe("clock") as first:
        async with feed.subscribe("clock") as second, feed.subscribe("other") as other:
            assert await redis.pubsub_numsub("clock") == [(b"clock", 1)]
            await _publish(redis, event, "clock")
            async with asyncio.timeout(5):
                assert await anext(first) == await anext(second) == event
        assert await redis.pubsub_numsub("clock") == [(b"clock", 1)]
        await _publish(redis, last := _event(1), "clock")
        async with asyncio.timeout(5):
            assert await anext(first) == last
    assert await redis.pubsub_numsub("clock") == [(b"clock", 0)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(other)


async def test_a_repeated_event_is_seen_once(feed: LiveFeed, redis: RedisClient) -> None:
    first, second = _event(1), _event(2)
    async with feed.subscribe("clock") as subscription:
        for event in (first, first, second, first, second):
            await _publish(redis, event, "clock")
        last = _event(3)
        await _publish(redis, last, "clock")
        async with asyncio.timeout(5):
            assert [await anext(subscription) for _ in range(3)] == [first, second, last]


def test_a_reader_that_falls_behind_is_told_after_what_it_has() -> None:
    async def read() -> list[Event]:
        subscription = LiveSubscription(capacity=3)
        for event in events:
            subscription.offer(event)
        read = [await anext(subscription) for _ in range(3)]
        for _ in range(2):
            with pytest.raises(LiveInterruptedError):
                await anext(subscription)
        return read

    events = [_event(number) for number in range(5)]
    assert asyncio.run(read()) == events[:3]


async def test_nonsense_on_a_channel_is_passed_over(feed: LiveFeed, redis: RedisClient) -> None:
    async with feed.subscribe("clock") as subscription:
        await redis.publish("clock", b"nonsense")
        await redis.publish("clock", b"{}")
        await _publish(redis, event := _event(), "clock")
        async with asyncio.timeout(5):
            assert await anext(subscription) == event


async def test_stopping_ends_every_subscription(redis: RedisClient) -> None:
    feed = LiveFeed(redis)
    await feed.start()
    async with feed.subscribe("clock") as subscription:
        await feed.stop()
        with pytest.raises(LiveInterruptedError):
            await anext(subscription)


async def test_a_cancelled_subscriber_leaves_nothing_behind(
    feed: LiveFeed, redis: RedisClient
) -> None:
    async def listen() -> None:
        async with feed.subscribe("clock") as subscription:
            await anext(subscription)

    for delay in range(5):
        task = asyncio.create_task(listen())
        for _ in range(delay):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with feed.subscribe("clock"):
        pass

    assert await redis.pubsub_numsub("clock") == [(b"clock", 0)]
