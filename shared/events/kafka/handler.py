"""What happens to one message: its consumers are called, and tried again, or it is set aside.

An outage (a shard, Redis or the network is down) is waited for, however long it takes. Anything
else that a consumer raises is taken for a bug that comes again with the same event: after some
attempts the event becomes a dead letter for this consumer, and the entity's next event is begun.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from shared.events.event import UnreadableEventError
from shared.events.held_back import backoff
from shared.events.kafka.dead_letters import DeadLetterReason
from shared.events.kafka.messages import MalformedMessageError, decode
from shared.events.outages import is_outage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka import ConsumerRecord

    from shared.events.event import Delivery, EventPayload
    from shared.events.kafka.dead_letters import DeadLetters
    from shared.events.kafka.metrics import ConsumerMetrics
    from shared.events.kafka.settings import KafkaSettings
    from shared.events.sink import Consumer

__all__ = ["MessageHandler", "Subscription"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Consumers of one domain's events.

    ``events``: what that domain may say; anything else is a dead letter. Empty: anything goes.
    """

    domain: str
    consumers: Sequence[Consumer]
    events: Sequence[type[EventPayload]] = ()


class MessageHandler:
    """Handles the messages of all topics of one domain's consumers."""

    def __init__(
        self,
        settings: KafkaSettings,
        subscriptions: Sequence[Subscription],
        dead_letters: DeadLetters,
        metrics: ConsumerMetrics,
    ) -> None:
        self._settings = settings
        self._consumers: Mapping[str, Sequence[Consumer]] = {
            settings.topic(each.domain): each.consumers for each in subscriptions
        }
        self._known = {
            settings.topic(each.domain): {(p.event_type, p.event_version) for p in each.events}
            for each in subscriptions
        }
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._room = asyncio.Semaphore(settings.concurrency)

    async def handle(self, record: ConsumerRecord) -> None:
        """Return when the message is dealt with, one way or the other. Raises nothing."""
        try:
            delivery = self._read(record)
        except MalformedMessageError as error:
            await self._dead_letters.put(record, DeadLetterReason.MALFORMED, error)
        except UnreadableEventError as error:
            await self._dead_letters.put(record, DeadLetterReason.UNREADABLE, error)
        else:
            for consumer in self._consumers[record.topic]:
                await self._consume(consumer, delivery, record)
            self._metrics.processed()

    def _read(self, record: ConsumerRecord) -> Delivery:
        delivery = decode(record)
        event, known = delivery.event, self._known[record.topic]
        if known and (event.type, event.version) not in known:
            raise UnreadableEventError(f"{event.type} version {event.version} is not known")
        return delivery

    async def _consume(
        self, consumer: Consumer, delivery: Delivery, record: ConsumerRecord
    ) -> None:
        name = type(consumer).__qualname__
        failures = bugs = 0
        while True:
            error = await self._attempt(consumer, delivery)
            if error is None:
                return
            failures += 1
            bugs += not is_outage(error)
            self._metrics.failed(name)
            self._log(name, delivery, error, first=failures == 1)
            if reason := self._hopeless(error, bugs):
                await self._dead_letters.put(record, reason, error, consumer=name)
                return
            await asyncio.sleep(
                backoff(failures, self._settings.retry_min, self._settings.retry_max)
            )

    async def _attempt(self, consumer: Consumer, delivery: Delivery) -> Exception | None:
        async with self._room:
            try:
                await consumer.consume(delivery)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is dealt with
                return error
        return None

    def _hopeless(self, error: Exception, bugs: int) -> DeadLetterReason | None:
        if isinstance(error, UnreadableEventError):
            return DeadLetterReason.UNREADABLE
        return DeadLetterReason.REFUSED if bugs >= self._settings.attempts else None

    def _log(self, consumer: str, delivery: Delivery, error: Exception, *, first: bool) -> None:
        if first:
            _log.warning(
                "a consumer refused an event",
                consumer=consumer,
                event_id=str(delivery.event.id),
                type=delivery.event.type,
                error=type(error).__name__,
                # of a bug the place is of interest
                exc_info=None if is_outage(error) else error,
            )
