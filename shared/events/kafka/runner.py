"""Runs the consumers of a domain on the events in Kafka: one member of the domain's group.

The broker gives every partition to one member. Offsets are committed by hand, after the effects;
when partitions move, or the process stops, events under way are finished first. A message is thus
handled at least once, and in the order of its entity.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError
from typing_extensions import override

from shared.events.held_back import backoff
from shared.events.kafka.dead_letters import DeadLetters
from shared.events.kafka.handler import MessageHandler
from shared.events.kafka.metrics import ConsumerMetrics
from shared.events.kafka.partition import PartitionWorker
from shared.events.tasks import end_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.events.kafka.handler import Subscription
    from shared.events.kafka.settings import KafkaSettings

__all__ = ["KafkaConsumers"]

_log = structlog.get_logger(__name__)

_FETCH_BYTES = 256 * 1024  # of a partition at a time


class KafkaConsumers:
    """The consumers of one domain, in this process, from ``start`` to ``stop``."""

    def __init__(
        self, domain: str, settings: KafkaSettings, subscriptions: Sequence[Subscription]
    ) -> None:
        self._domain = domain
        self._settings = settings
        self._subscriptions = [each for each in subscriptions if each.consumers]
        self._metrics = ConsumerMetrics(domain)
        self._task: asyncio.Task[None] | None = None
        self._failures = 0

    async def start(self) -> None:
        """Begin to consume.

        Does not wait for the broker: one that is down is tried again until it is back.
        """
        if self._subscriptions:
            self._task = asyncio.create_task(self._run(), name=f"consumers-{self._domain}")

    async def stop(self) -> None:
        """Finish the events under way, commit, and leave the group."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task], timeout=2 * self._grace + self._settings.timeout)
        await end_task(task)

    @property
    def _grace(self) -> float:
        return self._settings.rebalance_timeout / 3

    async def _run(self) -> None:
        """Be a member of the group until cancelled, over any number of lost connections."""
        while True:
            try:
                await self._serve()
            except (KafkaError, OSError) as error:
                # said once, not at every attempt
                if self._failures == 0:
                    _log.warning(
                        "consumers lost the broker", domain=self._domain, error=repr(error)
                    )
            self._failures += 1
            await asyncio.sleep(
                backoff(self._failures, self._settings.retry_min, self._settings.retry_max)
            )

    async def _serve(self) -> None:
        """Consume until it fails."""
        settings = self._settings
        dead_letters = DeadLetters(self._domain, settings, self._metrics)
        handler = MessageHandler(settings, self._subscriptions, dead_letters, self._metrics)
        consumer = self._new_consumer()
        partitions = _Partitions(consumer, handler, settings, self._metrics)
        consumer.subscribe(
            [settings.topic(each.domain) for each in self._subscriptions], listener=partitions
        )
        try:
            await consumer.start()
            self._failures = 0
            await partitions.pump()
        finally:
            await partitions.release(self._grace)
            await consumer.stop()
            await dead_letters.stop()

    def _new_consumer(self) -> AIOKafkaConsumer:
        settings = self._settings
        return AIOKafkaConsumer(
            **settings.client_arguments(),
            group_id=settings.group(self._domain),
            # a new group begins with what the topic still has: nothing is passed over
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
            session_timeout_ms=round(settings.session_timeout * 1000),
            heartbeat_interval_ms=round(settings.session_timeout * 1000 / 3),
            rebalance_timeout_ms=round(settings.rebalance_timeout * 1000),
        )


class _Partitions(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """The partitions that are this member's at the moment."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        handler: MessageHandler,
        settings: KafkaSettings,
        metrics: ConsumerMetrics,
    ) -> None:
        self._consumer = consumer
        self._handler = handler
        self._settings = settings
        self._metrics = metrics
        self._workers: dict[TopicPartition, PartitionWorker] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._commit_at = 0.0

    async def pump(self) -> None:
        """Hand messages to the partitions' workers, and commit what they have done."""
        interval = round(self._settings.commit_interval * 1000)
        while True:
            for partition, records in (await self._consumer.getmany(timeout_ms=interval)).items():
                worker = self._worker(partition)
                worker.take(records)
                if worker.is_full:
                    self._consumer.pause(partition)
            if asyncio.get_running_loop().time() >= self._commit_at:
                await self._commit(self._workers)
                self._measure()
                self._commit_at = asyncio.get_running_loop().time() + self._settings.commit_interval

    @override
    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Workers are made when messages come, which may be before this is called."""

    @override
    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._give_up(revoked, self._settings.rebalance_timeout / 3)

    async def release(self, grace: float) -> None:
        """Finish what is under way, for ``grace`` seconds at most, and commit."""
        await self._give_up(list(self._workers), grace)

    def _worker(self, partition: TopicPartition) -> PartitionWorker:
        if partition not in self._workers:
            self._workers[partition] = PartitionWorker(
                self._handler.handle,
                window=self._settings.window,
                on_room=partial(self._resume, partition),
            )
        return self._workers[partition]

    async def _give_up(self, partitions: Iterable[TopicPartition], grace: float) -> None:
        mine = {each: self._workers[each] for each in partitions if each in self._workers}
        await asyncio.gather(*(worker.stop(grace) for worker in mine.values()))
        await self._commit(mine)
        for partition in mine:
            del self._workers[partition]
            self._committed.pop(partition, None)
            self._metrics.gave_up(partition.topic, partition.partition)

    async def _commit(self, workers: Iterable[TopicPartition]) -> None:
        offsets = {
            partition: position
            for partition in workers
            if (position := self._workers[partition].position) is not None
            and position != self._committed.get(partition)
        }
        if not offsets:
            return
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._consumer.commit(offsets)
        except (KafkaError, OSError) as error:
            # Tried again with the next one; if the partition is another's by now, that one begins
            # where we last committed, and consumers know what they have done.
            _log.info("offsets not committed", error=repr(error))
        else:
            self._committed |= offsets

    def _measure(self) -> None:
        for partition, worker in self._workers.items():
            end, position = self._consumer.highwater(partition), worker.position
            if end is not None and position is not None:
                self._metrics.lag(partition.topic, partition.partition, end - position)

    def _resume(self, partition: TopicPartition) -> None:
        # the broker may have taken the partition away a moment ago
        with suppress(IllegalStateError):
            self._consumer.resume(partition)
