"""The relay and its Kafka sink, with a real broker that is killed now and then."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.events import Relay, RelaySettings
from shared.events.kafka import KafkaSink
from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, Slot, Topology
from tests.support.event_topics import (
    EventTopics,
    count,
    counted,
    new_topics,
    number_of,
    numbers_of,
)
from tests.support.kafka import KafkaBroker
from tests.support.outboxes import unpublished, until_published
from tests.support.subgraphs import new_id
from tests.support.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]

OUTAGE = "events wait: they cannot be handed over"
SETTINGS = RelaySettings(poll_interval=30.0, retry_min=0.02, retry_max=0.2, batch_size=50)


@pytest.fixture
async def topics(kafka: KafkaBroker) -> EventTopics:
    return await new_topics(kafka)


@pytest.fixture
async def sink(topics: EventTopics) -> AsyncIterator[KafkaSink]:
    made = KafkaSink("things", topics.settings)
    yield made
    await made.stop()


@pytest.fixture
async def shards(posts_shards: tuple[ShardConfig, ...]) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(posts_shards), ShardSettings(domain="posts")) as opened:
        yield opened


@pytest.fixture
async def relay(posts_shards: tuple[ShardConfig, ...], sink: KafkaSink) -> AsyncIterator[Relay]:
    started = Relay("posts", posts_shards, sink, SETTINGS)
    await started.start()
    yield started
    await started.stop()


async def test_a_message_has_the_entity_as_key_and_the_event_as_value(
    topics: EventTopics, sink: KafkaSink
) -> None:
    delivery = counted("ada", 1)

    handover = await sink.deliver([delivery], seconds=20)
    [record] = await topics.read(topics.topic, 1)

    assert list(handover.delivered) == [delivery]
    assert (handover.refused, handover.outage) == ([], None)
    assert record.key == b"ada"
    assert record.value == delivery.event.to_json().encode()
    assert dict(record.headers) == {
        "type": b"thing.counted",
        "version": b"1",
        "id": str(delivery.event.id).encode(),
    }


async def test_a_batch_larger_than_a_record_batch_keeps_the_order_of_each_entity(
    topics: EventTopics, sink: KafkaSink
) -> None:
    batch = [
        counted(thing + "x" * 10_000, number) for number in range(60) for thing in ("ada", "bob")
    ]

    handover = await sink.deliver(batch, seconds=20)
    events = await topics.events(len(batch))

    assert len(handover.delivered) == len(batch)
    for thing in ("ada", "bob"):
        assert numbers_of(events, thing + "x" * 10_000) == list(range(60))


async def test_an_event_too_large_for_a_message_is_refused_and_holds_up_its_entity_alone(
    topics: EventTopics, sink: KafkaSink
) -> None:
    big = "x" * 1_000_000
    batch = [counted(big, 1), counted("ada", 2), counted(big, 3)]

    handover = await sink.deliver(batch, seconds=20)

    assert [number_of(d.event) for d in handover.delivered] == [2]
    assert [number_of(r.delivery.event) for r in handover.refused] == [1]
    assert handover.outage is None


async def test_a_missing_topic_is_an_outage(kafka: KafkaBroker, topics: EventTopics) -> None:
    sink = KafkaSink("nothing", topics.settings)

    handover = await sink.deliver([counted("ada", 1)], seconds=1)
    await sink.stop()

    assert handover.outage is not None
    assert list(handover.delivered) == []


async def test_events_arrive_in_order_from_all_shards(
    relay: Relay, shards: Shards, topics: EventTopics, posts_shards: tuple[ShardConfig, ...]
) -> None:
    things = [new_id(1), new_id(2), new_id(200)]

    await asyncio.gather(*(count(shards, thing, *range(40)) for thing in things))
    await until_published(posts_shards)
    events = await topics.events(120)

    for thing in things:
        assert numbers_of(events, thing) == list(range(40))


async def test_a_broker_killed_under_load_gets_every_event_in_order(
    relay: Relay,
    shards: Shards,
    kafka: KafkaBroker,
    topics: EventTopics,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    things = [new_id(slot) for slot in (1, 2, 3, 200, 201)]
    writers = [asyncio.create_task(count(shards, thing, *range(150))) for thing in things]
    await topics.events(20)

    with capture_logs() as logs:
        await kafka.kill()
        await asyncio.gather(*writers)
        assert await unpublished(posts_shards) > 0

        async def noticed() -> bool:  # before, the producer itself tries again
            return OUTAGE in [line["event"] for line in logs]

        await until(noticed)
        await kafka.start()
        await until_published(posts_shards)
    events = await topics.events(5 * 150)

    for thing in things:
        assert numbers_of(events, thing) == list(range(150))
    said = [line["event"] for line in logs]
    assert 0 < said.count(OUTAGE) <= len(posts_shards)
    assert len(said) <= 2 * len(posts_shards)


async def test_stopping_does_not_wait_for_a_broker_that_is_gone(
    relay: Relay,
    sink: KafkaSink,
    shards: Shards,
    kafka: KafkaBroker,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    await count(shards, new_id(1), 1)
    await until_published(posts_shards)
    await kafka.kill()
    await count(shards, new_id(1), 2)

    async with asyncio.timeout(10):
        await relay.stop()
        await sink.stop()

    assert await unpublished(posts_shards) == 1


_RELAY = """
import asyncio, sys
from shared.events import Handover, Relay
from shared.events.kafka import KafkaSettings, KafkaSink
from shared.sharding import ShardConfig, ShardId

class Dying:
    \"\"\"Publishes, and never gets to the mark in the outbox.\"\"\"

    def __init__(self, sink):
        self._sink = sink

    async def deliver(self, batch, *, seconds):
        handover = await self._sink.deliver(batch, seconds=seconds)
        print(len(handover.delivered), flush=True)
        await asyncio.Event().wait()

async def main(url, broker, prefix):
    settings = KafkaSettings(bootstrap_servers=broker, topic_prefix=prefix)
    sink = Dying(KafkaSink("things", settings))
    relay = Relay("posts", [ShardConfig(ShardId("shard-0"), url)], sink)
    await relay.start()
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_relay_killed_between_publish_and_mark_publishes_again(
    shards: Shards,
    sink: KafkaSink,
    topics: EventTopics,
    kafka: KafkaBroker,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    thing = EntityId.new(Slot(1))
    await count(shards, thing, 1, 2, 3)
    relaying = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _RELAY,
        posts_shards[0].primary,
        kafka.address,
        topics.settings.topic_prefix,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert relaying.stdout is not None
    async with asyncio.timeout(60):
        assert await relaying.stdout.readline() == b"3\n"
    os.kill(relaying.pid, signal.SIGKILL)
    await relaying.wait()
    assert await unpublished(posts_shards) == 3

    relay = Relay("posts", posts_shards, sink, SETTINGS)
    await relay.start()
    await until_published(posts_shards)
    events = await topics.events(6)
    await relay.stop()

    assert [number_of(event) for event in events] == [1, 2, 3, 1, 2, 3]
    assert len({event.id for event in events}) == 3
