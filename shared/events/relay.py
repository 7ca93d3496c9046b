"""The relay: takes events out of the outboxes and hands them to the sink.

One task per shard. NOTIFY wakes it at the commit of a change; a poll catches what a lost connection
has missed. A batch is one transaction: lock the oldest unpublished rows, hand them over, mark them,
commit. A crash at any point leaves the rows unmarked, so they are delivered again: at least once.
Order holds per entity: only one relay works on an outbox at a time (an advisory lock that ends with
the transaction, so a relay that dies holds nobody up), and after a failed event the later ones of
the same entity wait for it.

The connection is the relay's own, outside of the pools, because LISTEN belongs to a connection.
Behind PgBouncer it needs a pool in session mode.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import orjson
import structlog

from shared.db.connect import connect
from shared.events import relay_metrics
from shared.events.event import Delivery, Event
from shared.events.outbox import CHANNEL
from shared.events.tasks import end_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.events.sink import EventSink
    from shared.sharding import ShardConfig

__all__ = ["Relay", "RelaySettings"]

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_log = structlog.get_logger(__name__)

# any fixed number will do, as long as nothing else in the domain's databases takes it
_LOCK_KEY = 0x6F_75_74_62_6F_78  # "outbox"

_TRY_LOCK = "SELECT pg_try_advisory_xact_lock($1)"
# SKIP LOCKED: rows that something else holds (a slot being moved) must not stop the others
_TAKE = """
    SELECT slot, id, key, type, version, occurred_at, actor, payload,
           extract(epoch FROM clock_timestamp() - recorded_at)::float8 AS age
      FROM outbox
     WHERE published_at IS NULL
     ORDER BY recorded_at, id
     LIMIT $1
       FOR UPDATE SKIP LOCKED
"""
_MARK = """
    UPDATE outbox SET published_at = clock_timestamp()
      FROM unnest($1::smallint[], $2::uuid[]) AS done(slot, id)
     WHERE outbox.slot = done.slot AND outbox.id = done.id
"""
_PRUNE = """
    DELETE FROM outbox
     WHERE (slot, id) IN (SELECT slot, id FROM outbox
                           WHERE published_at < now() - make_interval(secs => $1)
                           LIMIT $2)
"""
_PRUNE_PROCESSED = """
    DELETE FROM processed_events
     WHERE (slot, consumer, event_id) IN (SELECT slot, consumer, event_id FROM processed_events
                                           WHERE processed_at < now() - make_interval(secs => $1)
                                           LIMIT $2)
"""


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
        self._url = shard.primary
        self._sink = sink
        self._settings = settings
        self._wake = asyncio.Event()
        self._failures = 0
        self._prune_at = 0.0
        self._log = _log.bind(domain=domain, shard=shard.id)
        self._metrics = relay_metrics.of(domain, shard.id)

    async def run(self) -> None:
        """Work until cancelled, over any number of lost connections."""
        while True:
            try:
                await self._work()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # what an outage looks like from here; said once, not at every attempt
                if self._failures == 0:
                    self._log.warning("relay lost its shard", error=type(error).__name__)
            self._failures += 1
            await asyncio.sleep(self._delay())

    async def _work(self) -> None:
        """Serve one connection until it breaks."""
        connection: _Connection = await connect(
            self._url,
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
        """Deliver until the outbox is empty; False when the sink failed."""
        while True:
            taken, delivered = await self._batch(connection)
            if delivered < taken:
                return False
            self._failures = 0
            if taken < self._settings.batch_size:
                return True

    async def _pause(self, *, healthy: bool) -> None:
        """Wait for NOTIFY or the next poll; after a failure of the sink, for a while at least."""
        longest = self._settings.poll_interval
        if not healthy:
            self._failures += 1
            longest = self._delay()
            await asyncio.sleep(self._settings.retry_min)
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._wake.wait()

    async def _batch(self, connection: _Connection) -> tuple[int, int]:
        """One transaction: the number of events taken, and of those delivered and marked."""
        # a server that has fallen silent would otherwise be waited for without end
        async with asyncio.timeout(2 * self._settings.batch_seconds), connection.transaction():
            # another process at work gets the same NOTIFY and looks again when it is through
            if not await connection.fetchval(_TRY_LOCK, _LOCK_KEY):
                return 0, 0
            rows = await connection.fetch(_TAKE, self._settings.batch_size)
            delivered = await self._deliver(rows)
            if delivered:
                slots = [row["slot"] for row in delivered]
                await connection.execute(_MARK, slots, [row["id"] for row in delivered])
        return len(rows), len(delivered)

    async def _deliver(self, rows: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
        """Hand events to the sink in order; returns those that it took."""
        delivered: list[asyncpg.Record] = []
        held_back: set[str] = set()
        until = asyncio.get_running_loop().time() + self._settings.batch_seconds
        for row in rows:
            if asyncio.get_running_loop().time() > until:
                break
            if row["key"] in held_back:
                continue
            try:
                await self._sink.deliver(_delivery(row))
            except Exception:  # noqa: BLE001 - logged below, and nothing is lost by it
                # whatever a consumer raises: the event stays in the outbox and comes again, while
                # other entities' events go on
                held_back.add(row["key"])
                self._metrics.failed.inc()
                self._log.exception(
                    "event not delivered", event_id=str(row["id"]), type=row["type"]
                )
            else:
                delivered.append(row)
                self._metrics.delay.observe(max(0.0, row["age"]))
        return delivered

    async def _prune(self, connection: _Connection) -> None:
        """Now and then, delete what was published, and what was processed, long ago."""
        now = asyncio.get_running_loop().time()
        if now < self._prune_at:
            return
        self._prune_at = now + self._settings.prune_interval
        batch = self._settings.prune_batch
        await connection.execute(_PRUNE, self._settings.retention, batch)
        await connection.execute(_PRUNE_PROCESSED, self._settings.processed_retention, batch)

    def _delay(self) -> float:
        """Exponential backoff with jitter."""
        longest = min(
            self._settings.retry_max, self._settings.retry_min * 2.0 ** min(self._failures, 16)
        )
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, protects nothing


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
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.close(timeout=2)
