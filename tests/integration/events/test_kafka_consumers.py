"""Consumers on a real broker: order, retries, dead letters, rebalances, crashes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from typing_extensions import override

from shared.events import Delivery
from shared.events.kafka import KafkaConsumers, Subscription
from shared.sharding import ShardConfig
from tests.support.event_topics import (
    EventTopics,
    ThingCounted,
    counted,
    new_topics,
    number_of,
    numbers_of,
)
from tests.support.kafka import KafkaBroker
from tests.support.outboxes import unpublished
from tests.support.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]


class Recorder:
    """Keeps what it gets; `fail` may raise instead."""

    def __init__(self, fail: Callable[[Delivery], None] | None = None) -> None:
        self.received: list[Delivery] = []
        self.attempts = 0
        self._fail = fail

    async def consume(self, delivery: Delivery) -> None:
        self.attempts += 1
        if self._fail is not None:
            self._fail(delivery)
        self.received.append(delivery)

    def numbers(self, thing: str | None = None) -> list[int]:
        return [number_of(d.event) for d in self.received if thing in (None, d.key)]

    async def wait_for(self, count: int) -> None:
        async def arrived() -> bool:
            return len(self.received) >= count

        await until(arrived, seconds=60)


@pytest.fixture
async def topics(kafka: KafkaBroker) -> EventTopics:
    return await new_topics(kafka)


class Starter:
    """Starts members of the group, and stops those that a test has left."""

    def __init__(self, topics: EventTopics) -> None:
        self._topics = topics
        self._started: list[KafkaConsumers] = []

    async def __call__(self, *consumers: Recorder) -> KafkaConsumers:
        subscription = Subscription(domain="things", consumers=consumers, events=[ThingCounted])
        member = KafkaConsumers("things", self._topics.settings, [subscription])
        self._started.append(member)
        await member.start()
        return member

    async def stop(self) -> None:
        for member in self._started:
            await member.stop()


@pytest.fixture
async def consume(topics: EventTopics) -> AsyncIterator[Starter]:
    starter = Starter(topics)
    yield starter
    await starter.stop()


async def _until_committed(topics: EventTopics, offsets: int) -> None:
    async def committed() -> bool:
        return await topics.committed() == offsets

    await until(committed, seconds=60)


async def test_consumers_get_every_event_in_order_and_commit(
    topics: EventTopics, consume: Starter
) -> None:
    recorder = Recorder()
    things = ["ada", "bob", "eve"]

    await topics.publish(*(counted(thing, n) for n in range(20) for thing in things))
    await consume(recorder)
    await recorder.wait_for(60)
    await _until_committed(topics, 60)

    for thing in things:
        assert recorder.numbers(thing) == list(range(20))


async def test_a_member_that_starts_again_goes_on_where_it_stopped(
    topics: EventTopics, consume: Starter
) -> None:
    before, after = Recorder(), Recorder()

    await topics.publish(*(counted("ada", n) for n in range(5)))
    member = await consume(before)
    await before.wait_for(5)
    await member.stop()
    await topics.publish(counted("ada", 5))
    await consume(after)
    await after.wait_for(1)

    assert after.numbers() == [5]


async def test_stopping_commits_what_was_under_way(topics: EventTopics, consume: Starter) -> None:
    slow = _Slow()
    await topics.publish(counted("ada", 1))
    member = await consume(slow)
    await slow.begun.wait()

    stopping = asyncio.create_task(member.stop())
    slow.go_on.set()
    await stopping

    assert slow.numbers() == [1]
    assert await topics.committed() == 1


class _Slow(Recorder):
    """Waits until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    @override
    async def consume(self, delivery: Delivery) -> None:
        self.begun.set()
        await self.go_on.wait()
        await super().consume(delivery)


async def test_a_poison_event_becomes_a_dead_letter_and_others_go_on(
    topics: EventTopics, consume: Starter
) -> None:
    def fail(delivery: Delivery) -> None:
        if number_of(delivery.event) == 1:
            raise ZeroDivisionError("poison")

    failing, other = Recorder(fail), Recorder()
    poison = counted("ada", 1)

    await topics.publish(poison, counted("ada", 2), counted("bob", 3))
    await consume(failing, other)
    await failing.wait_for(2)
    [letter] = await topics.read(topics.dead_letter_topic, 1)
    await _until_committed(topics, 3)

    assert failing.numbers("ada") == [2]
    assert failing.attempts == topics.settings.attempts + 2
    assert sorted(other.numbers()) == [1, 2, 3]
    assert (letter.key, letter.value) == (b"ada", poison.event.to_json().encode())
    headers = dict(letter.headers)
    assert headers["dead-letter-reason"] == b"refused"
    assert headers["dead-letter-error"] == b"ZeroDivisionError: poison"
    assert headers["dead-letter-consumer"] == b"Recorder"
    assert headers["dead-letter-topic"] == topics.topic.encode()
    assert {"dead-letter-partition", "dead-letter-offset"} <= headers.keys()


async def test_an_outage_is_waited_for_while_other_entities_go_on(
    topics: EventTopics, consume: Starter
) -> None:
    down = True

    def fail(delivery: Delivery) -> None:
        if down and delivery.key == "ada":
            raise ConnectionError("down")

    recorder = Recorder(fail)
    await topics.publish(counted("ada", 1), counted("ada", 2))
    await topics.publish(*(counted("bob", n) for n in range(10)))
    await consume(recorder)
    await recorder.wait_for(10)

    async def tried_often() -> bool:
        return recorder.attempts > 10 + 2 * topics.settings.attempts

    await until(tried_often)
    assert recorder.numbers("ada") == []
    down = False
    await recorder.wait_for(12)
    await _until_committed(topics, 12)

    assert recorder.numbers("ada") == [1, 2]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"ada", b"{not json", b"malformed"),
        (b"ada", b'{"id": 1}', b"malformed"),
        (b"\xff", counted("ada", 1).event.to_json().encode(), b"malformed"),
        (None, counted("ada", 1).event.to_json().encode(), b"malformed"),
        (
            b"ada",
            counted("ada", 1).event.model_copy(update={"type": "thing.unheard"}).to_json().encode(),
            b"unreadable",
        ),
        (
            b"ada",
            counted("ada", 1).event.model_copy(update={"version": 9}).to_json().encode(),
            b"unreadable",
        ),
    ],
)
async def test_a_message_that_is_no_event_of_ours_becomes_a_dead_letter(
    topics: EventTopics, consume: Starter, key: bytes | None, value: bytes, reason: bytes
) -> None:
    recorder = Recorder()
    labels = {"domain": "things", "reason": reason.decode()}
    before = REGISTRY.get_sample_value("socialnet_events_dead_letters_total", labels) or 0

    await topics.publish_raw((key, value))
    await topics.publish(counted("ada", 2))
    await consume(recorder)
    await recorder.wait_for(1)
    [letter] = await topics.read(topics.dead_letter_topic, 1)
    await _until_committed(topics, 2)

    assert recorder.numbers() == [2]
    assert (letter.key, letter.value) == (key, value)
    assert dict(letter.headers)["dead-letter-reason"] == reason
    after = REGISTRY.get_sample_value("socialnet_events_dead_letters_total", labels)
    assert after == before + 1


async def test_two_members_share_the_partitions_and_lose_nothing_when_one_leaves(
    kafka: KafkaBroker,
) -> None:
    topics = await new_topics(kafka, partitions=6)
    starter = Starter(topics)
    first, second = Recorder(), Recorder()
    things = [f"thing-{number}" for number in range(12)]
    published = 0

    async def publish_more() -> None:
        nonlocal published
        numbers = range(published, published + 10)
        await topics.publish(*(counted(thing, n) for n in numbers for thing in things))
        published += 10

    async def second_has_some() -> bool:
        # until the partitions are shared out anew the first takes all
        await publish_more()
        return bool(second.received)

    async def all_there() -> bool:
        received = {d.event.id for d in first.received + second.received}
        return len(received) == published * len(things)

    try:
        await starter(first)
        await publish_more()
        await first.wait_for(1)
        leaving = await starter(second)
        await until(second_has_some, seconds=60)
        await leaving.stop()
        await publish_more()
        await until(all_there, seconds=60)
        await _until_committed(topics, published * len(things))
    finally:
        await starter.stop()

    for recorder in (first, second):
        for thing in things:
            events = [d.event for d in recorder.received]
            numbers = numbers_of(events, thing)
            assert numbers == sorted(numbers)


async def test_a_broker_killed_meanwhile_delays_events_and_loses_none(
    topics: EventTopics, consume: Starter, kafka: KafkaBroker
) -> None:
    recorder = Recorder()
    await topics.publish(*(counted("ada", n) for n in range(5)))
    await consume(recorder)
    await recorder.wait_for(5)

    await kafka.kill()
    await kafka.start()
    await topics.publish(*(counted("ada", n) for n in range(5, 10)))

    async def all_there() -> bool:
        return len({d.event.id for d in recorder.received}) == 10

    await until(all_there, seconds=60)
    assert numbers_of([d.event for d in recorder.received], "ada") == list(range(10))


_CONSUMER = """
import asyncio, sys
from sqlalchemy import text
from shared.events import append, once
from shared.events.kafka import KafkaConsumers, KafkaSettings, Subscription
from shared.sharding import ShardConfig, ShardId, Shards, ShardSettings, Slot, Topology
from tests.support.event_topics import ThingCounted

class Effect:
    def __init__(self, shards):
        self._shards = shards

    async def consume(self, delivery):
        async def effect(session):
            await append(session, ThingCounted(thing="effect", number=1), actor=None)
        await once(self._shards, Slot(1), consumer="test", event=delivery.event, effect=effect)
        print(delivery.event.payload["number"], flush=True)

async def main(url, broker, prefix, commit_interval):
    shards = Shards(Topology.initial([ShardConfig(ShardId("shard-0"), url)]),
                    ShardSettings(domain="posts"))
    settings = KafkaSettings(bootstrap_servers=broker, topic_prefix=prefix, session_timeout=1.0,
                             commit_interval=float(commit_interval))
    subscription = Subscription(domain="things", consumers=[Effect(shards)])
    member = KafkaConsumers("things", settings, [subscription])
    await member.start()
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_consumer_killed_between_effect_and_commit_has_its_effects_once(
    topics: EventTopics, kafka: KafkaBroker, posts_shards: tuple[ShardConfig, ...]
) -> None:
    await topics.publish(*(counted("ada", number) for number in range(3)))

    for commit_interval, ending in (("600", signal.SIGKILL), ("0.05", signal.SIGTERM)):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CONSUMER,
            posts_shards[0].primary,
            kafka.address,
            topics.settings.topic_prefix,
            commit_interval,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            # the second process gets all of them again, since the first one committed nothing
            assert [await process.stdout.readline() for _ in range(3)] == [b"0\n", b"1\n", b"2\n"]
        if ending == signal.SIGKILL:
            assert await topics.committed() == 0
        else:
            await _until_committed(topics, 3)
        os.kill(process.pid, ending)
        await process.wait()

    assert await unpublished(posts_shards) == 3
