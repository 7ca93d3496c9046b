"""Effects that happen once, on real shards; the effect is an event in the posts' outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from shared.db.connect import connect
from shared.events import Event, InProcessSink, Relay, RelaySettings, append, once
from shared.sharding import ShardConfig, Shards, ShardSettings, Slot, Topology, WriteSession
from tests.integration.events.test_relay import ThingHappened
from tests.support.waiting import until

SLOT = Slot(1)
EFFECT = ThingHappened(thing="effect", number=1)


@pytest.fixture
async def shards(posts_shards: tuple[ShardConfig, ...]) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(posts_shards), ShardSettings(domain="posts")) as opened:
        yield opened


def _event() -> Event:
    return Event.of(ThingHappened(thing="cause", number=0), slot=Slot(200), actor=None)


async def _effect(session: WriteSession) -> None:
    await append(session, EFFECT, actor=None)


async def _count(shards: Shards, table: str, slot: Slot = SLOT) -> int:
    async with shards.read(slot) as session:
        found = await session.execute(
            text(f"SELECT count(*) FROM {table} WHERE slot = {slot}")  # noqa: S608 - our own names
        )
    count: int = found.scalar_one()
    return count


async def test_an_event_that_comes_again_has_no_second_effect(shards: Shards) -> None:
    event = _event()

    first = await once(shards, SLOT, consumer="counter", event=event, effect=_effect)
    second = await once(shards, SLOT, consumer="counter", event=event, effect=_effect)

    assert (first, second) == (True, False)
    assert await _count(shards, "outbox") == 1
    assert await _count(shards, "processed_events") == 1


async def test_other_consumers_events_and_slots_have_effects_of_their_own(shards: Shards) -> None:
    event = _event()

    done = [
        await once(shards, SLOT, consumer="counter", event=event, effect=_effect),
        await once(shards, SLOT, consumer="mirror", event=event, effect=_effect),
        await once(shards, SLOT, consumer="counter", event=_event(), effect=_effect),
        await once(shards, Slot(200), consumer="counter", event=event, effect=_effect),
    ]

    assert done == [True] * 4
    assert await _count(shards, "outbox") == 3
    assert await _count(shards, "outbox", Slot(200)) == 1


async def test_an_effect_that_fails_leaves_nothing_and_is_tried_again(shards: Shards) -> None:
    event = _event()

    async def fail(session: WriteSession) -> None:
        await _effect(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once(shards, SLOT, consumer="counter", event=event, effect=fail)

    assert await _count(shards, "outbox") == 0
    assert await _count(shards, "processed_events") == 0
    assert await once(shards, SLOT, consumer="counter", event=event, effect=_effect)


@pytest.mark.parametrize(("first_fails", "effects"), [(False, [True, False]), (True, [True])])
async def test_of_two_deliveries_at_a_time_one_has_the_effect(
    shards: Shards, first_fails: bool, effects: list[bool]
) -> None:
    event = _event()
    working, go_on = asyncio.Event(), asyncio.Event()

    async def first_effect(session: WriteSession) -> None:
        await _effect(session)
        working.set()
        await go_on.wait()
        if first_fails:
            raise ZeroDivisionError

    first = asyncio.create_task(
        once(shards, SLOT, consumer="counter", event=event, effect=first_effect)
    )
    await working.wait()
    second = asyncio.create_task(
        once(shards, SLOT, consumer="counter", event=event, effect=_effect)
    )
    await until(lambda: _waits_for_a_lock(shards))
    go_on.set()
    results = await asyncio.gather(first, second, return_exceptions=True)

    assert [result for result in results if isinstance(result, bool)] == effects
    assert await _count(shards, "outbox") == 1


async def _waits_for_a_lock(shards: Shards) -> bool:
    async with shards.read(SLOT) as session:
        found = await session.execute(
            text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        )
    return bool(found.scalar_one())


async def test_what_was_done_is_forgotten_long_after_the_event_last_came(
    shards: Shards, posts_shards: tuple[ShardConfig, ...]
) -> None:
    forgotten, repeated = _event(), _event()
    for event in (forgotten, repeated):
        await once(shards, SLOT, consumer="counter", event=event, effect=_effect)
    connection = await connect(posts_shards[0].primary, application_name="test")
    await connection.execute(
        "UPDATE processed_events SET processed_at = now() - interval '31 days'"
    )
    await once(shards, SLOT, consumer="counter", event=repeated, effect=_effect)

    relay = Relay("posts", posts_shards, InProcessSink([]), RelaySettings())
    await relay.start()

    async def pruned() -> bool:
        return await _count(shards, "processed_events") == 1

    await until(pruned)
    left = await connection.fetchval("SELECT event_id FROM processed_events")
    await connection.close()
    await relay.stop()

    assert left == repeated.id
