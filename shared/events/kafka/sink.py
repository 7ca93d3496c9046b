"""The sink that publishes to Kafka: one topic per domain.

A batch of the relay becomes one record batch per partition, which the broker takes whole or not at
all; partitions are sent to at the same time. When a partition needs several record batches, each
waits for the one before, so that events of one entity are never taken past one that was not.

When the broker does not take something in time, the producer is given up together with what it
holds, and the next batch begins with a new one. What had arrived after all is then there twice, in
order: consumers know an event by its id.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.events.kafka.messages import Message, encode
from shared.events.kafka.producer import MAX_MESSAGE_BYTES, KafkaProducer, SharedProducer
from shared.events.sink import Handover, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.producer.message_accumulator import BatchBuilder

    from shared.events.event import Delivery
    from shared.events.kafka.settings import KafkaSettings

__all__ = ["EventTooLargeError", "KafkaSink"]

_partition_of = DefaultPartitioner()


class EventTooLargeError(Exception):
    """An event that no message can hold. It stays in the outbox, and its entity waits."""


class _Encoded(NamedTuple):
    delivery: Delivery
    message: Message


@dataclass(slots=True)
class _Result:
    delivered: list[Delivery] = field(default_factory=list)
    outages: list[Exception] = field(default_factory=list)


class KafkaSink:
    """Publishes the events of one domain; ``stop`` closes its connections."""

    def __init__(self, domain: str, settings: KafkaSettings) -> None:
        self._topic = settings.topic(domain)
        self._settings = settings
        self._producers = SharedProducer(settings)

    async def deliver(self, batch: Sequence[Delivery], *, seconds: float) -> Handover:
        """Publish the events, and wait until the broker has them."""
        messages, refused = _encode_all(batch)
        result = _Result()
        producer = None
        try:
            async with asyncio.timeout(min(seconds, self._settings.timeout)):
                producer = await self._producers.connected()
                lanes = await self._by_partition(producer, messages)
                async with asyncio.TaskGroup() as group:
                    for partition, lane in lanes.items():
                        group.create_task(self._send(producer, partition, lane, result))
        except (KafkaError, OSError) as error:  # OSError: TimeoutError too
            result.outages.append(error)
        if result.outages and producer is not None:
            await self._producers.give_up(producer)
        return Handover(
            delivered=result.delivered, refused=refused, outage=next(iter(result.outages), None)
        )

    async def stop(self) -> None:
        """Close the connections. Call it after the relay has stopped."""
        await self._producers.stop()

    async def _by_partition(
        self, producer: KafkaProducer, messages: Sequence[_Encoded]
    ) -> dict[int, list[_Encoded]]:
        partitions = sorted(await producer.partitions_for(self._topic))
        lanes: dict[int, list[_Encoded]] = defaultdict(list)
        for each in messages:
            lanes[_partition_of(each.message.key, partitions, partitions)].append(each)
        return lanes

    async def _send(
        self,
        producer: KafkaProducer,
        partition: int,
        lane: Sequence[_Encoded],
        result: _Result,
    ) -> None:
        """Send the events of a partition, as many at a time as fit into a record batch."""
        start = 0
        while start < len(lane):
            records = producer.create_batch()
            end = start
            while end < len(lane) and _append(records, lane[end].message):
                end += 1
            try:
                await (await producer.send_batch(records, self._topic, partition=partition))
            except KafkaError as error:  # the other partitions go on
                result.outages.append(error)
                return
            result.delivered += (each.delivery for each in lane[start:end])
            start = end


def _append(records: BatchBuilder, message: Message) -> bool:
    """Whether there was still room; for the first message there always is."""
    taken = records.append(
        key=message.key, value=message.value, timestamp=None, headers=list(message.headers)
    )
    return taken is not None


def _encode_all(batch: Sequence[Delivery]) -> tuple[list[_Encoded], list[Refusal]]:
    """The messages, without those that are too large and what comes after them."""
    messages: list[_Encoded] = []
    refused: dict[str, Refusal] = {}
    for delivery in batch:
        if delivery.key in refused:
            continue
        message = encode(delivery)
        if message.size > MAX_MESSAGE_BYTES:
            error = EventTooLargeError(f"{message.size} bytes; {MAX_MESSAGE_BYTES} are allowed")
            refused[delivery.key] = Refusal(delivery=delivery, error=error)
        else:
            messages.append(_Encoded(delivery, message))
    return messages, list(refused.values())
