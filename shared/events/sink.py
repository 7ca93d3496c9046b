"""Where the relay hands events to, and who receives them.

The relay knows only ``EventSink``. In one process the sink calls the consumers; with a broker it
publishes, and the same consumers are called on the other side (``shared.events.kafka``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.events.event import Delivery

__all__ = ["Consumer", "EventSink", "Handover", "InProcessSink", "Refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event that was not taken, and why."""

    delivery: Delivery
    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What became of a batch. Events in neither list were not tried, or it is not known.

    ``outage`` says why when the receiver as a whole is to blame: it cannot be reached.
    """

    delivered: Sequence[Delivery]
    refused: Sequence[Refusal] = ()
    outage: Exception | None = None


class EventSink(Protocol):
    """Takes over responsibility for events."""

    async def deliver(self, batch: Sequence[Delivery], *, seconds: float) -> Handover:
        """Take events over; what is ``delivered`` is safe with the receiver.

        Events with the same key are taken in the order given, and none of them after one that was
        not taken: the whole rest comes again. The relay may offer events again that were taken.

        Args:
            batch: the events, oldest first.
            seconds: no event is begun after this time.
        """
        ...


class Consumer(Protocol):
    """Does something because an event happened.

    Must be idempotent by ``delivery.event.id``: for what it writes to a shard there is ``once``.
    """

    async def consume(self, delivery: Delivery) -> None:
        """Handle the event; unknown types and versions are passed over.

        Raise to see it again later.
        """
        ...


class InProcessSink:
    """Calls every consumer in turn; an event is delivered when all of them are done with it."""

    def __init__(self, consumers: Sequence[Consumer]) -> None:
        self._consumers = tuple(consumers)

    async def deliver(self, batch: Sequence[Delivery], *, seconds: float) -> Handover:
        """Hand the events to all consumers."""
        delivered: list[Delivery] = []
        refused: dict[str, Refusal] = {}
        until = asyncio.get_running_loop().time() + seconds
        for delivery in batch:
            if asyncio.get_running_loop().time() > until:
                break
            if delivery.key in refused:
                continue
            error = await self._consume(delivery)
            if error is None:
                delivered.append(delivery)
            else:
                refused[delivery.key] = Refusal(delivery=delivery, error=error)
        return Handover(delivered=delivered, refused=tuple(refused.values()))

    async def _consume(self, delivery: Delivery) -> Exception | None:
        """One that fails keeps no other one waiting, but makes the event come again to all."""
        failed: Exception | None = None
        for consumer in self._consumers:
            try:
                await consumer.consume(delivery)
            except Exception as error:  # noqa: BLE001 - the relay logs it, and nothing is lost
                failed = failed or error
        return failed
