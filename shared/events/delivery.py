"""From the outbox to the consumers, in one process or through Kafka: the settings alone decide."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from shared.events.kafka import KafkaConsumers, KafkaSink, Subscription
from shared.events.relay import Relay
from shared.events.sink import InProcessSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from shared.events.event import EventPayload
    from shared.events.kafka import KafkaSettings
    from shared.events.sink import Consumer, EventSink
    from shared.sharding import ShardConfig

__all__ = ["delivering_events"]


@asynccontextmanager
async def delivering_events(
    domain: str,
    shards: Iterable[ShardConfig],
    *,
    events: Sequence[type[EventPayload]],
    consumers: Sequence[Consumer],
    kafka: KafkaSettings | None,
) -> AsyncIterator[None]:
    """A domain's events reach its consumers inside the block. Waits for no shard and no broker.

    Args:
        domain: whose outboxes, and whose topic.
        shards: where the outboxes are.
        events: what the domain may say.
        consumers: of the domain's events. With Kafka each event reaches one of the processes that
            run them; without, the process whose relay takes it out of the outbox.
        kafka: the broker; None hands events over in this process.
    """
    async with AsyncExitStack() as stack:
        sink: EventSink
        if kafka is None:
            sink = InProcessSink(consumers)
        else:
            subscription = Subscription(domain=domain, consumers=consumers, events=events)
            group = KafkaConsumers(domain, kafka, [subscription])
            stack.push_async_callback(group.stop)
            await group.start()
            sink = publisher = KafkaSink(domain, kafka)
            stack.push_async_callback(publisher.stop)
        relay = Relay(domain, shards, sink)
        stack.push_async_callback(relay.stop)
        await relay.start()
        yield
