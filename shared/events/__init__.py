"""Domain events: written with the change that they tell of, delivered at least once, in order per
entity.

Service -> ``append`` (the outbox, in the change's own transaction) -> ``Relay`` (one task per
shard) -> ``EventSink`` -> consumers, each of whose effects happens ``once``. ``LiveConsumer`` and
``LiveFeed`` carry events on to subscriptions through Redis.
"""

from shared.events.event import Delivery, Event, EventPayload, UnreadableEventError
from shared.events.live import LiveConsumer, LiveFeed, LiveSubscription
from shared.events.live_errors import LiveInterruptedError
from shared.events.outbox import append, outbox_table
from shared.events.processed import Effect, once, processed_events_table
from shared.events.relay import Relay, RelaySettings
from shared.events.schemas import event_schemas
from shared.events.sink import Consumer, EventSink, Handover, InProcessSink, Refusal

__all__ = [
    "Consumer",
    "Delivery",
    "Effect",
    "Event",
    "EventPayload",
    "EventSink",
    "Handover",
    "InProcessSink",
    "LiveConsumer",
    "LiveFeed",
    "LiveInterruptedError",
    "LiveSubscription",
    "Refusal",
    "Relay",
    "RelaySettings",
    "UnreadableEventError",
    "append",
    "event_schemas",
    "once",
    "outbox_table",
    "processed_events_table",
]
