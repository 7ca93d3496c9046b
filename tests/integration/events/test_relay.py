"""The outbox and its relay on real shards, on the posts domain's tables."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from shared.db.connect import connect
from shared.events import (
    Delivery,
    EventPayload,
    Handover,
    InProcessSink,
    Relay,
    RelaySettings,
    append,
)
from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, Topology
from socialnet.embedded.postgres import PostgresCluster
from tests.support.outboxes import unpublished, until_published
from tests.support.subgraphs import new_id
from tests.support.waiting import until

SETTINGS = RelaySettings(poll_interval=30.0, retry_min=0.02, retry_max=0.2, batch_size=10)


class ThingHappened(EventPayload):
    """Something for tests."""

    event_type: ClassVar[str] = "thing.happened"

    thing: str
    number: int

    @override
    def entity_id(self) -> str:
        return self.thing


class Recorder:
    """A consumer that keeps what it got, and fails when told to."""

    def __init__(self) -> None:
        self.received: list[Delivery] = []
        self.failing: set[str] = set()
        self.arrived = asyncio.Condition()

    async def consume(self, delivery: Delivery) -> None:
        if delivery.key in self.failing:
            raise RuntimeError("told to fail")
        self.received.append(delivery)
        async with self.arrived:
            self.arrived.notify_all()

    async def wait_for(self, count: int) -> list[int]:
        """The numbers of the events, once there are `count`."""
        async with asyncio.timeout(20), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)
        return self.numbers()

    def numbers(self, key: str | None = None) -> list[int]:
        found = [d for d in self.received if key in (None, d.key)]
        return [int(str(d.event.payload["number"])) for d in found]


@pytest.fixture
async def shards(posts_shards: tuple[ShardConfig, ...]) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(posts_shards), ShardSettings(domain="posts")) as opened:
        yield opened


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def relay(posts_shards: tuple[ShardConfig, ...], recorder: Recorder) -> AsyncIterator[Relay]:
    started = Relay("posts", posts_shards, InProcessSink([recorder]), SETTINGS)
    await started.start()
    yield started
    await started.stop()


async def _happen(shards: Shards, thing: EntityId, *numbers: int) -> None:
    for number in numbers:
        async with shards.write(thing.slot) as session:
            await append(session, ThingHappened(thing=str(thing), number=number), actor=thing)


async def test_events_of_all_shards_arrive_as_they_were_written(
    relay: Relay, shards: Shards, recorder: Recorder, posts_shards: tuple[ShardConfig, ...]
) -> None:
    ada, bob = new_id(1), new_id(200)

    await _happen(shards, ada, 1)
    await _happen(shards, bob, 2)
    await recorder.wait_for(2)
    await until_published(posts_shards)

    for delivery, thing, number in zip(
        sorted(recorder.received, key=lambda d: d.key),
        sorted([ada, bob], key=str),
        (1, 2),
        strict=True,
    ):
        event = delivery.event
        assert delivery.key == str(thing)
        assert (event.type, event.version, event.slot) == ("thing.happened", 1, thing.slot)
        assert event.actor == str(thing)
        assert event.payload == {"thing": str(thing), "number": number}
        assert event.occurred_at.utcoffset() is not None


async def test_events_of_one_entity_keep_their_order(
    relay: Relay, shards: Shards, recorder: Recorder
) -> None:
    things = [new_id(1), new_id(2), new_id(200)]

    await asyncio.gather(*(_happen(shards, thing, *range(40)) for thing in things))
    await recorder.wait_for(120)

    for thing in things:
        assert recorder.numbers(str(thing)) == list(range(40))


async def test_notify_wakes_the_relay_without_a_poll(
    relay: Relay, shards: Shards, recorder: Recorder
) -> None:
    await _happen(shards, new_id(1), 0)
    await recorder.wait_for(1)
    started = asyncio.get_running_loop().time()

    await _happen(shards, new_id(1), 1)
    await recorder.wait_for(2)

    assert asyncio.get_running_loop().time() - started < SETTINGS.poll_interval / 3


async def test_an_event_of_a_transaction_that_fails_never_was(
    relay: Relay, shards: Shards, recorder: Recorder
) -> None:
    thing = new_id(1)

    async def fail() -> None:
        async with shards.write(thing.slot) as session:
            await append(session, ThingHappened(thing=str(thing), number=0), actor=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await _happen(shards, thing, 1)

    assert await recorder.wait_for(1) == [1]


async def test_what_was_written_while_no_relay_ran_is_delivered_at_its_start(
    shards: Shards, recorder: Recorder, posts_shards: tuple[ShardConfig, ...]
) -> None:
    await _happen(shards, new_id(1), *range(25))

    relay = Relay("posts", posts_shards, InProcessSink([recorder]), SETTINGS)
    await relay.start()
    numbers = await recorder.wait_for(25)
    await relay.stop()

    assert numbers == list(range(25))


async def test_a_refused_event_comes_again_and_holds_up_its_entity_alone(
    relay: Relay, shards: Shards, recorder: Recorder, posts_shards: tuple[ShardConfig, ...]
) -> None:
    stuck, other = new_id(1), new_id(2)
    recorder.failing.add(str(stuck))

    await _happen(shards, stuck, 1, 2, 3)
    await _happen(shards, other, 10, 11)
    assert await recorder.wait_for(2) == [10, 11]
    assert recorder.numbers(str(stuck)) == []
    recorder.failing.clear()
    await recorder.wait_for(5)
    await until_published(posts_shards)

    assert recorder.numbers(str(stuck)) == [1, 2, 3]


async def test_more_refused_events_than_a_batch_holds_keep_no_other_entity_waiting(
    relay: Relay, shards: Shards, recorder: Recorder
) -> None:
    stuck, other = new_id(1), new_id(2)
    recorder.failing.add(str(stuck))

    await _happen(shards, stuck, *range(3 * SETTINGS.batch_size))
    await _happen(shards, other, 100)

    assert await recorder.wait_for(1) == [100]


async def test_a_consumer_that_refuses_does_not_keep_the_others_from_the_event(
    shards: Shards, recorder: Recorder, posts_shards: tuple[ShardConfig, ...]
) -> None:
    refusing, thing = Recorder(), new_id(1)
    refusing.failing.add(str(thing))
    relay = Relay("posts", posts_shards, InProcessSink([refusing, recorder]), SETTINGS)
    await relay.start()

    await _happen(shards, thing, 1)
    await recorder.wait_for(1)
    refusing.failing.clear()
    await refusing.wait_for(1)
    await relay.stop()

    assert refusing.numbers() == [1]


async def test_an_outage_of_the_sink_delays_events_and_is_logged_once(
    shards: Shards, recorder: Recorder, posts_shards: tuple[ShardConfig, ...]
) -> None:
    sink = _DownSink(recorder, outages=5)
    relay = Relay("posts", posts_shards[:1], sink, SETTINGS)
    with capture_logs() as logs:
        await _happen(shards, new_id(1), 1, 2)
        await relay.start()
        assert await recorder.wait_for(2) == [1, 2]
        await until_published(posts_shards)
        await relay.stop()

    assert [line["event"] for line in logs] == [
        "events wait: they cannot be handed over",
        "events are handed over again",
    ]


class _DownSink(InProcessSink):
    """Cannot be reached a number of times."""

    def __init__(self, recorder: Recorder, *, outages: int) -> None:
        super().__init__([recorder])
        self._outages = outages

    @override
    async def deliver(self, batch: Sequence[Delivery], *, seconds: float) -> Handover:
        if self._outages:
            self._outages -= 1
            return Handover(delivered=(), outage=ConnectionError("down"))
        return await super().deliver(batch, seconds=seconds)


async def test_two_relays_deliver_every_event_once_and_in_order(
    shards: Shards, recorder: Recorder, posts_shards: tuple[ShardConfig, ...]
) -> None:
    relays = [Relay("posts", posts_shards, InProcessSink([recorder]), SETTINGS) for _ in range(2)]
    for relay in relays:
        await relay.start()
    things = [new_id(1), new_id(200)]

    await asyncio.gather(*(_happen(shards, thing, *range(50)) for thing in things))
    await recorder.wait_for(100)
    await until_published(posts_shards)
    for relay in relays:
        await relay.stop()

    for thing in things:
        assert recorder.numbers(str(thing)) == list(range(50))


async def test_a_crash_between_delivery_and_mark_delivers_again(
    shards: Shards, posts_shards: tuple[ShardConfig, ...], recorder: Recorder
) -> None:
    crashing = _CrashAfterDelivery(recorder)
    relay = Relay("posts", posts_shards, crashing, SETTINGS)
    await relay.start()
    await _happen(shards, new_id(1), 7)
    async with asyncio.timeout(20):
        await crashing.delivered.wait()
    await relay.stop()
    assert await unpublished(posts_shards) == 1

    again = Relay("posts", posts_shards, InProcessSink([recorder]), SETTINGS)
    await again.start()
    assert await recorder.wait_for(2) == [7, 7]
    await until_published(posts_shards)
    await again.stop()

    assert len({delivery.event.id for delivery in recorder.received}) == 1


class _CrashAfterDelivery:
    """Delivers, and then never returns: the relay dies with the event delivered and unmarked."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.delivered = asyncio.Event()

    async def deliver(self, batch: Sequence[Delivery], *, seconds: float) -> Handover:
        for delivery in batch:
            await self._recorder.consume(delivery)
        self.delivered.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_the_relay_survives_its_shard(
    relay: Relay,
    shards: Shards,
    recorder: Recorder,
    clusters: Sequence[PostgresCluster],
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    await _happen(shards, new_id(1), 1)
    await _happen(shards, new_id(200), 2)
    await recorder.wait_for(2)
    await until_published(posts_shards)  # on_crash semantics are another test's matter

    await clusters[0].stop("immediate")
    try:
        await _happen(shards, new_id(200), 3)
        await recorder.wait_for(3)
    finally:
        await clusters[0].start()
    await _happen(shards, new_id(1), 4)

    assert sorted(await recorder.wait_for(4)) == [1, 2, 3, 4]


async def test_old_published_events_are_pruned_and_others_are_not(
    shards: Shards, posts_shards: tuple[ShardConfig, ...], recorder: Recorder
) -> None:
    await _happen(shards, new_id(1), 1, 2, 3)
    connection = await connect(posts_shards[0].primary, application_name="test")
    await connection.execute(
        "UPDATE outbox SET published_at = now() - interval '4 days' WHERE payload->>'number' = '1'"
    )
    await connection.execute(
        "UPDATE outbox SET published_at = now() - interval '1 day' WHERE payload->>'number' = '2'"
    )

    relay = Relay("posts", posts_shards, InProcessSink([recorder]), SETTINGS)
    await relay.start()
    await recorder.wait_for(1)

    async def pruned() -> bool:
        count: int = await connection.fetchval("SELECT count(*) FROM outbox")
        return count == 2

    await until(pruned)
    left = await connection.fetch("SELECT payload->>'number' AS number FROM outbox ORDER BY 1")
    await connection.close()
    await relay.stop()

    assert [row["number"] for row in left] == ["2", "3"]


_WRITER = """
import asyncio, sys
from shared.sharding import EntityId, ShardConfig, ShardId, Shards, ShardSettings, Slot, Topology
from shared.events import append
from tests.integration.events.test_relay import ThingHappened

async def main(url, number):
    shards = Shards(Topology.initial([ShardConfig(ShardId("shard-0"), url)]),
                    ShardSettings(domain="posts"))
    thing = EntityId.new(Slot(1))
    async with shards.write(thing.slot) as session:
        await append(session, ThingHappened(thing=str(thing), number=int(number)), actor=None)
    print("committed", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_an_event_outlives_the_process_that_wrote_it(
    posts_shards: tuple[ShardConfig, ...], recorder: Recorder
) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _WRITER,
        posts_shards[0].primary,
        "42",
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert writer.stdout is not None
    async with asyncio.timeout(30):
        assert await writer.stdout.readline() == b"committed\n"
    os.kill(writer.pid, signal.SIGKILL)
    await writer.wait()
    assert await unpublished(posts_shards) == 1

    relay = Relay("posts", posts_shards, InProcessSink([recorder]), SETTINGS)
    await relay.start()
    numbers = await recorder.wait_for(1)
    await until_published(posts_shards)
    await relay.stop()

    assert numbers == [42]
