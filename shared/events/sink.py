"""Where the relay hands events to, and who receives them.

The relay knows only ``EventSink``. In one process the sink calls the consumers; with a broker (a
later adapter) it publishes, and the same consumers are called on the other side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.events.event import Delivery

__all__ = ["Consumer", "EventSink", "InProcessSink"]


class EventSink(Protocol):
    """Takes over responsibility for an event."""

    async def deliver(self, delivery: Delivery) -> None:
        """Return once the event is safe with the receiver. Raise to see it again later."""
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

    async def deliver(self, delivery: Delivery) -> None:
        """Hand the event to all consumers.

        One that fails makes the event come again, to all of them.
        """
        for consumer in self._consumers:
            await consumer.consume(delivery)
