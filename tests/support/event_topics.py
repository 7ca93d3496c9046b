"""Topics of one test on a real broker: published to and read without the code under test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from typing_extensions import override

from shared.events import Delivery, Event, EventPayload, append
from shared.events.kafka import KafkaSettings
from shared.sharding import EntityId, Shards, Slot
from tests.support.kafka import KafkaBroker


class ThingCounted(EventPayload):
    """Something for tests."""

    event_type: ClassVar[str] = "thing.counted"

    thing: str
    number: int

    @override
    def entity_id(self) -> str:
        return self.thing


def counted(thing: str, number: int) -> Delivery:
    """An event that was never in an outbox."""
    event = Event.of(ThingCounted(thing=thing, number=number), slot=Slot(1), actor=None)
    return Delivery(key=thing, event=event)


def number_of(event: Event) -> int:
    """The number of a `ThingCounted`."""
    number = event.payload["number"]
    assert isinstance(number, int)
    return number


async def count(shards: Shards, thing: EntityId, *numbers: int) -> None:
    """Write events, each in a transaction of its own."""
    for number in numbers:
        async with shards.write(thing.slot) as session:
            await append(session, ThingCounted(thing=str(thing), number=number), actor=None)


@dataclass(frozen=True, slots=True)
class EventTopics:
    """The topics below a prefix of a test's own; its domain is `things`."""

    broker: KafkaBroker
    settings: KafkaSettings

    @property
    def topic(self) -> str:
        """Where the events are."""
        return self.settings.topic("things")

    @property
    def dead_letter_topic(self) -> str:
        """Where dead letters are."""
        return self.settings.dead_letter_topic("things")

    async def publish(self, *deliveries: Delivery) -> None:
        """Publish events as they are."""
        await self.publish_raw(*((d.key.encode(), d.event.to_json().encode()) for d in deliveries))

    async def publish_raw(self, *messages: tuple[bytes | None, bytes]) -> None:
        """Publish whatever it is."""
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.address)
        await producer.start()
        try:
            for key, value in messages:
                await producer.send_and_wait(self.topic, value, key)
        finally:
            await producer.stop()

    async def read(self, topic: str, wanted: int) -> list[ConsumerRecord]:
        """All messages of a topic, once there are so many; in the order of each partition."""
        async with self._reader(topic) as reader, asyncio.timeout(60):
            found: list[ConsumerRecord] = []
            while len(found) < wanted:
                for records in (await reader.getmany(timeout_ms=100)).values():
                    found += records
            return found

    async def events(self, wanted: int) -> list[Event]:
        """The events in the topic, once there are so many."""
        records = await self.read(self.topic, wanted)
        return [Event.model_validate_json(record.value) for record in records]

    async def committed(self) -> int:
        """The sum of the offsets that the domain's group has committed."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.broker.address)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.settings.group("things"))
        finally:
            await admin.close()
        return sum(each.offset for each in offsets.values())

    @contextlib.asynccontextmanager
    async def _reader(self, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
        reader = AIOKafkaConsumer(
            topic, bootstrap_servers=self.broker.address, auto_offset_reset="earliest"
        )
        await reader.start()
        try:
            yield reader
        finally:
            await reader.stop()


async def new_topics(broker: KafkaBroker, *, partitions: int = 3) -> EventTopics:
    """Topics that no other test has, with settings for tests."""
    settings = KafkaSettings(
        bootstrap_servers=broker.address,
        topic_prefix=f"test-{uuid4().hex}",
        timeout=5.0,
        session_timeout=2.0,
        rebalance_timeout=6.0,
        commit_interval=0.05,
        retry_min=0.02,
        retry_max=0.2,
        attempts=3,
    )
    topics = EventTopics(broker, settings)
    await broker.create_topic(topics.topic, partitions)
    await broker.create_topic(topics.dead_letter_topic, 1)
    return topics


def numbers_of(events: Sequence[Event], thing: object) -> list[int]:
    """The numbers of one thing, in the order of the events; repeated events count once."""
    seen: dict[object, int] = {
        event.id: number_of(event) for event in events if event.payload["thing"] == str(thing)
    }
    return list(seen.values())
