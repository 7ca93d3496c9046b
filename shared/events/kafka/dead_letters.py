"""The dead-letter topic: messages that the consumers of a domain cannot handle, and why.

Key and value are the message's own, byte for byte, so it can be sent again; headers say where it
came from and what was wrong with it.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import KafkaError

from shared.events.held_back import backoff
from shared.events.kafka.producer import SharedProducer

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from shared.events.kafka.metrics import ConsumerMetrics
    from shared.events.kafka.settings import KafkaSettings

__all__ = ["DeadLetterReason", "DeadLetters"]

_log = structlog.get_logger(__name__)

_LONGEST_ERROR = 1000  # characters


class DeadLetterReason(StrEnum):
    """Why a message is one, as its header and the metric say it."""

    MALFORMED = "malformed"  # not the JSON of an event
    UNREADABLE = "unreadable"  # a type or version that the code does not know, or a wrong payload
    REFUSED = "refused"  # a consumer raised again and again


class DeadLetters:
    """Publishes the dead letters of one domain's consumers."""

    def __init__(self, domain: str, settings: KafkaSettings, metrics: ConsumerMetrics) -> None:
        self._topic = settings.dead_letter_topic(domain)
        self._settings = settings
        self._metrics = metrics
        self._producers = SharedProducer(settings)

    async def put(
        self,
        record: ConsumerRecord,
        reason: DeadLetterReason,
        error: Exception,
        *,
        consumer: str | None = None,
    ) -> None:
        """Return once the broker has it: tries again until then, since it must not get lost."""
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        log = _log.bind(**place, reason=str(reason), consumer=consumer)
        said = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
        about = {"reason": reason, "error": said, "consumer": consumer or "", **place}
        headers = [
            *record.headers,
            *((f"dead-letter-{name}", str(value).encode()) for name, value in about.items()),
        ]
        failures = 0
        while (outage := await self._publish(record, headers)) is not None:
            if failures == 0:
                log.warning("a dead letter waits: it cannot be published", error=repr(outage))
            failures += 1
            await asyncio.sleep(
                backoff(failures, self._settings.retry_min, self._settings.retry_max)
            )
        self._metrics.dead(reason)
        log.error("a message became a dead letter", error=said)

    async def stop(self) -> None:
        """Close the connections."""
        await self._producers.stop()

    async def _publish(
        self, record: ConsumerRecord, headers: list[tuple[str, bytes]]
    ) -> Exception | None:
        producer = None
        try:
            async with asyncio.timeout(self._settings.timeout):
                producer = await self._producers.connected()
                # without key and value there would be nothing to publish
                value = b"" if record.key is None and record.value is None else record.value
                await producer.send_and_wait(self._topic, value, record.key, headers=headers)
        except (KafkaError, OSError) as error:  # OSError: TimeoutError too
            if producer is not None:
                await self._producers.give_up(producer)
            return error
        return None
