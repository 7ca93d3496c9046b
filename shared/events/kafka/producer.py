"""aiokafka's idempotent producer, with an end that does not wait for a broker that is gone.

Nothing is acknowledged before all in-sync replicas have it (``acks=all``). The producer itself
repeats what may have been lost, under sequence numbers, so that its own retries neither repeat a
message in a partition nor change its order.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

if TYPE_CHECKING:
    from shared.events.kafka.settings import KafkaSettings

__all__ = ["MAX_MESSAGE_BYTES", "KafkaProducer", "SharedProducer"]

MAX_MESSAGE_BYTES = 900_000
"""The largest message; the broker's own limit (``message.max.bytes``) is 1 MiB by default."""

_MAX_BATCH_BYTES = 512 * 1024


class KafkaProducer(AIOKafkaProducer):  # type: ignore[misc] # has no types
    """A producer that can be given up."""

    async def abandon(self) -> None:
        """Close without waiting for messages that were not acknowledged; their futures fail.

        ``stop`` waits for them without end, since an idempotent producer never gives up.
        """
        self._closed = True
        task = self._sender.sender_task
        if task is not None:
            task.cancel()
        await self.client.close()
        if task is not None:
            # it ends with its requests, which end with their connections
            await asyncio.wait([task])
            with suppress(asyncio.CancelledError, KafkaError):
                task.result()
        self._message_accumulator.fail_all(ProducerClosed())


class SharedProducer:
    """One producer for all who publish at a time: made at first use, and anew after a failure."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: KafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def connected(self) -> KafkaProducer:
        """A producer that has reached a broker; ``KafkaError`` or ``TimeoutError`` if it cannot."""
        async with self._connecting:
            if self._producer is None:
                self._producer = await self._start()
            return self._producer

    async def give_up(self, producer: KafkaProducer) -> None:
        """Replace a producer that has failed. Others who use it fail too, and come again."""
        if self._producer is producer:
            self._producer = None
            await producer.abandon()

    async def stop(self) -> None:
        """Close the connections."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.abandon()

    async def _start(self) -> KafkaProducer:
        producer = KafkaProducer(
            **self._settings.client_arguments(),
            acks="all",
            enable_idempotence=True,
            max_batch_size=_MAX_BATCH_BYTES,
            max_request_size=2 * MAX_MESSAGE_BYTES,
        )
        try:
            async with asyncio.timeout(self._settings.timeout):
                await producer.start()
        except BaseException:
            await producer.abandon()
            raise
        return producer
