"""The relay: takes events out of the outboxes and hands them to the sink.

One task per shard. NOTIFY wakes it at the commit of a change; a poll catches what a lost connection
has missed. A batch is one transaction: lock the oldest unpublished rows, hand them over, mark them,
commit. A crash at any point leaves the rows unmarked, so they are delivered again: at least once.
Order holds per entity: only one relay works on an outbox at a time (an advisory lock that ends with
the transaction, so a relay that dies holds nobody up), and after a refused event the later ones of
the same entity wait for it, in the outbox, while all others go on.

The connection is the relay's own, outside of the pools, because LISTEN belongs to a connection.
It leads past PgBouncer (``ShardConfig.direct``), and to whichever server is the primary.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import orjson
import structlog

from shared.db.connect import LOST
from shared.events import relay_metrics
from shared.events.event import Delivery, Event
from shared.events.held_back import HeldBack, backoff
from shared.events.outages import is_outage
from shared.events.outbox import CHANNEL
from shared.events.relay_statements import (
    LOCK_KEY,
    MARK,
    PRUNE,
    PRUNE_PROCESSED,
    TAKE,
    TRY_LOCK,
)
from shared.events.sink import Handover
from shared.events.tasks import end_task
from shared.sharding.direct import connect_primary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import asyncpg

    from shared.events.sink import EventSink, Refusal
    from shared.sharding import ShardConfig

__all__ = ["Relay", "RelaySettings"]

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_log = structlog.get_logger(__name__)

_MOST_HELD_BACK = 1000
"""Entities; past that something is wrong with all of them, and the relay waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """How a relay works. Times are in seconds."""

    batch_size: int = 200
    batch_seconds: float = (
        20.0  # a batch that takes longer is cut short: its transaction must not stay open
    )
    poll_interval: float = 5.0
    connect_timeout: float = 5.0
    retry_min: float = 0.2
    retry_max: float = 10.0
    retention: float = 3 * 24 * 3600.0  # published events are kept this long
    # What consumers have done is remembered this long after they last saw the event. Longer than
    # an event can come again: than the outbox keeps it, and than a broker does.
    processed_retention: float = 30 * 24 * 3600.0
    prune_interval: float = 600.0
    prune_batch: int = 5000


class _Batch(NamedTuple):
    """How many events were taken out of the outbox, and whether it makes sense to go on."""

    taken: int
    healthy: bool


class Relay:
    """Delivers the events of one domain, from all its shards, while it is started."""

    def __init__(
        self,
        domain: str,
        shards: Iterable[ShardConfig],
        sink: EventSink,
        settings: RelaySettings | None = None,
    ) -> None:
        self._shards = [
            _ShardRelay(domain, shard, sink, settings or RelaySettings()) for shard in shards
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to deliver.

        Does not wait for any shard: one that is down is tried again until it is back.
        """
        self._tasks = [
            asyncio.create_task(shard.run(), name=f"relay-{shard.name}") for shard in self._shards
        ]

    async def stop(self) -> None:
        """Stop at once.

        What is under way is rolled back and delivered again after the next start.
        """
        await asyncio.gather(*map(end_task, self._tasks))
        self._tasks = []


class _ShardRelay:
    """The outbox of one domain on one shard."""

    def __init__(
        self, domain: str, shard: ShardConfig, sink: EventSink, settings: RelaySettings
    ) -> None:
        self.name = f"{domain}-{shard.id}"
        self._shard = shard
        self._sink = sink
        self._settings = settings
        self._wake = asyncio.Event()
        self._failures = 0
        self._outage = False
        self._held_back = HeldBack(shortest=settings.retry_min, longest=settings.retry_max)
        self._prune_at = 0.0
        self._log = _log.bind(domain=domain, shard=shard.id)
        self._metrics = relay_metrics.of(domain, shard.id)

    async def run(self) -> None:
        """Work until cancelled, over any number of lost connections."""
        while True:
            try:
                await self._work()
            except LOST as error:
                # what an outage looks like from here; said once, not at every attempt
                if self._failures == 0:
                    self._log.warning("relay lost its shard", error=type(error).__name__)
            self._failures += 1
            await asyncio.sleep(self._delay())

    async def _work(self) -> None:
        """Serve one connection until it breaks."""
        connection: _Connection = await connect_primary(
            self._shard,
            application_name="socialnet-relay",
            timeout=self._settings.connect_timeout,
        )
        try:
            connection.add_termination_listener(lambda _: self._wake.set())
            await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
            # only now: what was committed before LISTEN began is found by the first look
            while not connection.is_closed():
                self._wake.clear()
                healthy = await self._drain(connection)
                await self._prune(connection)
                await self._pause(healthy=healthy)
        finally:
            await _close(connection)

    async def _drain(self, connection: _Connection) -> bool:
        """Deliver until nothing is left but what is held back; False when the sink is down."""
        while True:
            started = asyncio.get_running_loop().time()
            batch = await self._batch(connection, self._held_back.waiting(started))
            self._metrics.held_back.set(len(self._held_back))
            if not batch.healthy or len(self._held_back) >= _MOST_HELD_BACK:
                return False
            self._failures = 0
            if batch.taken < self._settings.batch_size:
                self._held_back.settle(started)
                return True

    async def _pause(self, *, healthy: bool) -> None:
        """Wait for NOTIFY, the next poll or the next try of what is held back.

        While the sink is down, wait for a time that grows, whatever happens.
        """
        if not healthy:
            self._failures += 1
            await asyncio.sleep(self._delay())
            return
        until = asyncio.get_running_loop().time() + self._settings.poll_interval
        next_try = self._held_back.next_time()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until if next_try is None else min(until, next_try)):
                await self._wake.wait()

    async def _batch(self, connection: _Connection, without: Sequence[str]) -> _Batch:
        """One transaction: take the oldest events, but not of the entities held back."""
        settings = self._settings
        # a server that has fallen silent would otherwise be waited for without end
        async with asyncio.timeout(2 * settings.batch_seconds), connection.transaction():
            # another process at work gets the same NOTIFY and looks again when it is through
            if not await connection.fetchval(TRY_LOCK, LOCK_KEY):
                return _Batch(0, healthy=True)
            rows = await connection.fetch(TAKE, settings.batch_size, without)
            if not rows:
                return _Batch(0, healthy=True)
            handover = await self._hand_over([_delivery(row) for row in rows])
            if handover.delivered:
                events = [delivery.event for delivery in handover.delivered]
                await connection.execute(MARK, [e.slot for e in events], [e.id for e in events])
        self._observe(rows, handover)
        moved = bool(handover.delivered or handover.refused)
        return _Batch(len(rows), healthy=moved and handover.outage is None)

    async def _hand_over(self, batch: Sequence[Delivery]) -> Handover:
        try:
            return await self._sink.deliver(batch, seconds=self._settings.batch_seconds)
        except Exception as error:  # noqa: BLE001 - a bug of the sink must not end the relay
            self._log.exception("the sink failed")
            return Handover(delivered=(), outage=error)

    def _observe(self, rows: Sequence[asyncpg.Record], handover: Handover) -> None:
        """Remember, measure and log what has become of a batch."""
        ages = {row["id"]: row["age"] for row in rows}
        for delivery in handover.delivered:
            self._metrics.delay.observe(max(0.0, ages[delivery.event.id]))
        for refusal in handover.refused:
            self._refused(refusal)
        self._note_outage(handover.outage)

    def _refused(self, refusal: Refusal) -> None:
        delivery = refusal.delivery
        times = self._held_back.refused(delivery.key, asyncio.get_running_loop().time())
        self._metrics.failed.inc()
        self._log.warning(
            "event refused; its entity waits",
            event_id=str(delivery.event.id),
            type=delivery.event.type,
            times=times,
            error=type(refusal.error).__name__,
            # of a bug the place is of interest, once
            exc_info=None if times > 1 or is_outage(refusal.error) else refusal.error,
        )

    def _note_outage(self, outage: Exception | None) -> None:
        """An outage is said once, not at every attempt; and so is its end."""
        if outage is not None:
            self._metrics.failed.inc()
            if not self._outage:
                self._log.warning("events wait: they cannot be handed over", error=repr(outage))
        elif self._outage:
            self._log.info("events are handed over again")
        self._outage = outage is not None

    async def _prune(self, connection: _Connection) -> None:
        """Now and then, delete what was published, and what was processed, long ago."""
        now = asyncio.get_running_loop().time()
        if now < self._prune_at:
            return
        self._prune_at = now + self._settings.prune_interval
        batch = self._settings.prune_batch
        await connection.execute(PRUNE, self._settings.retention, batch)
        await connection.execute(PRUNE_PROCESSED, self._settings.processed_retention, batch)

    def _delay(self) -> float:
        return backoff(self._failures, self._settings.retry_min, self._settings.retry_max)


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        key=row["key"],
        event=Event(
            id=row["id"],
            type=row["type"],
            version=row["version"],
            occurred_at=row["occurred_at"],
            slot=row["slot"],
            actor=row["actor"],
            payload=orjson.loads(row["payload"]),
        ),
    )


async def _close(connection: _Connection) -> None:
    with suppress(*LOST):
        await connection.close(timeout=2)
