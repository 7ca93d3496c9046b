"""Push tokens that move from one user to another, on two shards; crashes and late events."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from shared.auth import Viewer
from shared.events import Delivery, Event, InProcessSink, Relay
from shared.limits import RateLimiter
from shared.sharding import (
    EntityId,
    ShardConfig,
    Shards,
    ShardSettings,
    ShardUnavailableError,
    Slot,
    Topology,
)
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.repository import DeviceRecord, DeviceRepository, TokenKey, UserRepository
from subgraphs.users.service import DeviceMoves, DeviceService
from subgraphs.users.tables import DevicePlatform
from tests.support.shard_rows import on_every_shard
from tests.support.waiting import until

IOS = DevicePlatform.IOS


@dataclass(frozen=True, slots=True)
class Town:
    """Devices of the two shards; nothing happens to events until somebody delivers them."""

    shards: Shards
    configs: tuple[ShardConfig, ...]
    devices: DeviceService
    moves: DeviceMoves

    async def user(self, slot: int) -> Viewer:
        """A new user in this slot: below 128 on the first shard."""
        user_id = EntityId.new(Slot(slot))
        handle = f"user_{next(_numbers)}"
        await on_every_shard(
            [self.configs[0 if slot < 128 else 1]],
            "INSERT INTO users (slot, id, handle, display_name, created_at, updated_at)"
            " VALUES ($1, $2, $3, $3, now(), now())",
            user_id.slot,
            user_id.uuid,
            handle,
        )
        return Viewer(user_id=user_id, expires_at=datetime.now(UTC) + timedelta(hours=1))

    async def register(self, viewer: Viewer, token: str) -> DeviceRecord:
        """Register a device."""
        return await self.devices.register(viewer, token, IOS)

    async def ids(self, viewer: Viewer) -> list[EntityId]:
        """The devices that a user has."""
        return [device.id for device in await self.devices.list_devices(viewer)]

    async def events(self, kind: str) -> list[Event]:
        """What is in the outboxes, oldest first."""
        rows = await on_every_shard(
            self.configs, "SELECT *, payload::text AS body FROM outbox WHERE type = $1", kind
        )
        rows.sort(key=lambda row: row["recorded_at"])
        return [
            Event(
                id=row["id"],
                type=row["type"],
                version=row["version"],
                occurred_at=row["occurred_at"],
                slot=row["slot"],
                actor=row["actor"],
                payload=orjson.loads(row["body"]),
            )
            for row in rows
        ]

    async def deliver(self, *events: Event) -> None:
        """Deliver events by hand."""
        for event in events:
            await self.moves.consume(Delivery(key=str(event.payload["deviceId"]), event=event))

    async def removed(self) -> list[str]:
        """The devices that were told to have gone."""
        return [str(event.payload["deviceId"]) for event in await self.events("device.removed")]

    async def holder(self, token: str) -> EntityId | None:
        """The device that has a token."""
        key = TokenKey.of(token, slots=self.shards.topology.slots)
        async with self.shards.read(key.slot) as session:
            return await DeviceRepository().find_holder(session, key)

    @contextlib.asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Events are delivered as in the embedded system."""
        relay = Relay("users", self.configs, InProcessSink([self.moves]))
        await relay.start()
        try:
            yield
        finally:
            await relay.stop()


_numbers = itertools.count(1)


@pytest.fixture
async def town(users_shards: tuple[ShardConfig, ...]) -> AsyncIterator[Town]:
    """Two shards without a relay."""
    settings = ShardSettings(domain="users", application_name="test")
    repository = DeviceRepository()
    async with Shards(Topology.initial(users_shards), settings) as shards:
        service = DeviceService(shards, repository, UserRepository(), RateLimiter.in_memory())
        yield Town(shards, users_shards, service, DeviceMoves(shards, repository))


def token_on(shard: int) -> str:
    """A push token of which this shard knows whose it is."""
    for number in itertools.count():
        token = f"token-{number}"
        if (TokenKey.of(token, slots=256).slot >= 128) == bool(shard):
            return token
    raise AssertionError


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("before", "after"), [(5, 200), (200, 5), (5, 6), (5, 5)])
async def test_a_token_moves_to_who_registered_it_last_and_back(
    town: Town, before: int, after: int, place: int
) -> None:
    ada, bob, token = await town.user(before), await town.user(after), token_on(place)

    async with town.delivering():
        first = await town.register(ada, token)
        second = await town.register(bob, token)
        await until(lambda: _are(town, {str(first.id)}))
        third = await town.register(ada, token)
        await until(lambda: _are(town, {str(first.id), str(second.id)}))

    assert await town.ids(ada) == [third.id]
    assert await town.ids(bob) == []
    assert await town.holder(token) == third.id


async def test_a_crash_before_events_are_delivered_delays_the_move_only(town: Town) -> None:
    ada, bob, token = await town.user(5), await town.user(200), token_on(0)
    first = await town.register(ada, token)
    second = await town.register(bob, token)
    undelivered = [await town.ids(ada), await town.ids(bob)]

    async with town.delivering():
        await until(lambda: _are(town, {str(first.id)}))

    assert undelivered == [[first.id], [second.id]]
    assert [await town.ids(ada), await town.ids(bob)] == [[], [second.id]]


async def test_of_two_users_at_once_one_has_the_token(town: Town) -> None:
    people = [await town.user(slot) for slot in (5, 200, 6, 201, 5, 130)]
    token = token_on(1)

    async with town.delivering():
        made = await asyncio.gather(*(town.register(person, token) for person in people))
        newest = max(made, key=lambda device: device.id.uuid)
        await until(lambda: _are(town, {str(device.id) for device in made if device != newest}))

    assert [await town.ids(person) for person in people] == [
        [newest.id] if person.user_id == newest.user_id else [] for person in people
    ]
    assert await town.holder(token) == newest.id
    assert len(await town.removed()) == len(people) - 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_events_in_any_order_and_more_than_once_end_the_same(
    town: Town, order: tuple[int, ...]
) -> None:
    people = [await town.user(slot) for slot in (5, 200, 6)]
    token = token_on(0)
    made = [await town.register(person, token) for person in people]
    registered = await town.events("device.registered")

    for number in order:
        await town.deliver(registered[number], registered[number])
    displaced = await town.events("device.displaced")
    await town.deliver(*reversed(displaced), *displaced)
    await town.deliver(*registered)

    assert [await town.ids(person) for person in people] == [[], [], [made[2].id]]
    assert sorted(await town.removed()) == sorted(str(device.id) for device in made[:2])
    assert await town.events("device.displaced") == displaced


async def test_events_delivered_twice_at_the_same_time_have_one_effect(town: Town) -> None:
    ada, bob, token = await town.user(5), await town.user(200), token_on(0)
    first = await town.register(ada, token)
    await town.register(bob, token)

    for kind in ("device.registered", "device.displaced"):
        events = await town.events(kind)
        await asyncio.gather(*(town.deliver(event) for event in events * 3))

    assert await town.removed() == [str(first.id)]
    assert len(await town.events("device.displaced")) == 1


async def test_an_event_that_comes_late_does_not_bring_a_token_back(town: Town) -> None:
    ada, bob, token = await town.user(5), await town.user(200), token_on(0)
    first = await town.register(ada, token)
    second = await town.register(bob, token)
    late, early = await town.events("device.registered")
    await town.deliver(early)
    await town.devices.remove(bob, second.id)

    await town.deliver(late)
    await town.deliver(*await town.events("device.displaced"))

    assert await town.ids(ada) == await town.ids(bob) == []
    assert str(first.id) in await town.removed()


async def test_who_has_lost_a_token_gets_it_back_before_the_loss_arrives(town: Town) -> None:
    ada, bob, token = await town.user(5), await town.user(200), token_on(1)
    first = await town.register(ada, token)
    second = await town.register(bob, token)
    await town.deliver(*await town.events("device.registered"))

    third = await town.register(ada, token)
    listed = await town.ids(ada)
    async with town.delivering():
        await until(lambda: _are(town, {str(first.id), str(second.id)}))

    assert listed == [third.id]
    assert await town.ids(ada) == [third.id]
    assert await town.ids(bob) == []


async def test_two_devices_of_different_tokens_do_not_meet(town: Town) -> None:
    ada = await town.user(5)
    made = [await town.register(ada, token) for token in (token_on(0), token_on(1))]

    await town.deliver(*await town.events("device.registered"))

    assert await town.events("device.displaced") == []
    assert await town.ids(ada) == [made[1].id, made[0].id]


@pytest.mark.parametrize("place", [0, 1])
async def test_a_move_waits_for_a_shard_that_is_down(
    town: Town, clusters: Sequence[PostgresCluster], place: int
) -> None:
    ada, bob, token = await town.user(200), await town.user(5), token_on(place)
    first = await town.register(ada, token)
    await clusters[1].stop("immediate")
    try:
        second = await town.register(bob, token)
        (registered,) = await _events_on_first(town)
        if place == 1:
            with pytest.raises(ShardUnavailableError):
                await town.deliver(registered)
    finally:
        await clusters[1].start()

    async with town.delivering():
        await until(lambda: _are(town, {str(first.id)}))

    assert await town.ids(bob) == [second.id]
    assert await town.ids(ada) == []


async def _events_on_first(town: Town) -> list[Event]:
    first = Town(town.shards, town.configs[:1], town.devices, town.moves)
    return await first.events("device.registered")


async def _are(town: Town, removed: set[str]) -> bool:
    """Whether exactly these devices have been removed."""
    return set(await town.removed()) == removed
