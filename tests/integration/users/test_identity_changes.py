from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from shared.sharding import (
    EntityId,
    Identities,
    IdentityTakenError,
    Reservation,
    ReservationLostError,
    ShardConfig,
    Shards,
    ShardSettings,
    Topology,
    WriteSession,
    slot_for,
)
from subgraphs.users.repository import (
    HoldingsRepository,
    IdentityKind,
    UserRecord,
    UserRepository,
)
from subgraphs.users.service import IdentityChanges
from subgraphs.users.tables import AccountStatus
from tests.support.subgraphs import new_id

PHONE = IdentityKind.PHONE


class _CrashError(Exception):
    """The process ends here, as far as the request is concerned."""


class _CrashingIdentities(Identities):
    """Crashes right after the owner's commit, once."""

    crash = False

    @override
    async def confirm(self, reservations: Sequence[Reservation]) -> None:
        if self.crash:
            self.crash = False
            raise _CrashError
        await super().confirm(reservations)


class _World:
    """Users with phone numbers, which is the simplest of the unique values."""

    def __init__(self, shards: Shards) -> None:
        self.shards = shards
        self.holdings = HoldingsRepository()
        self.identities = _CrashingIdentities(shards, holds=self.holds)
        self.changes = IdentityChanges(shards, self.holdings, self.identities)

    async def holds(self, owner: EntityId, kind: str, value: str) -> bool:
        async with self.shards.read(owner.slot) as session:
            held = await self.holdings.find(session, owner)
        return held is not None and held.values[IdentityKind(kind)] == value

    async def make_user(self, slot: int) -> EntityId:
        user = UserRecord(
            id=new_id(slot),
            email=None,
            handle=f"user_{slot}",
            display_name="User",
            bio="",
            status=AccountStatus.ACTIVE,
            created_at=datetime.now(UTC),
        )
        async with self.shards.write(user.id.slot) as session:
            await UserRepository().insert_user(session, user, password_hash=None)
        return user.id

    async def take(self, user: EntityId, phone: str, *, crash: bool = False) -> None:
        async def write(session: WriteSession) -> None:
            if crash:
                raise _CrashError
            await self.holdings.set_phone(session, user, phone=phone, updated_at=datetime.now(UTC))

        await self.changes.change(user, PHONE, phone, write)

    async def phone_of(self, user: EntityId) -> str | None:
        return (await self.changes.find(user)).values[PHONE]


@pytest.fixture
async def world(users_shards: tuple[ShardConfig, ...]) -> AsyncIterator[_World]:
    async with Shards(Topology.initial(users_shards), ShardSettings(domain="users")) as shards:
        yield _World(shards)


def _phones(*, local_to: EntityId | None = None) -> list[str]:
    """Three numbers whose identities lie in the user's slot, or in the other shard's."""
    numbers = (f"+4930{n:07}" for n in itertools.count())
    wanted = (n for n in numbers if local_to is None or slot_for(n) == local_to.slot)
    return list(itertools.islice(wanted, 3))


@pytest.mark.parametrize("local", [False, True])
async def test_a_change_cut_short_before_its_commit_is_made_by_its_repetition(
    world: _World, local: bool
) -> None:
    user, other = await world.make_user(3), await world.make_user(200)
    phone = _phones(local_to=user if local else None)[0]

    with pytest.raises(_CrashError):
        await world.take(user, phone, crash=True)
    with pytest.raises(IdentityTakenError):
        await world.take(other, phone)
    await world.take(user, phone)

    assert await world.phone_of(user) == phone
    assert await world.identities.find(PHONE, phone) == user


async def test_a_change_cut_short_after_its_commit_holds_and_may_be_repeated(
    world: _World,
) -> None:
    user, other = await world.make_user(3), await world.make_user(200)
    first, second, _ = _phones()
    await world.take(user, first)

    world.identities.crash = True
    with pytest.raises(_CrashError):
        await world.take(user, second)
    await world.take(user, second)

    assert await world.phone_of(user) == second
    assert await world.identities.find(PHONE, second) == user
    with pytest.raises(IdentityTakenError):
        await world.take(other, second)
    # what the crash left behind is nobody's: the first number can be had
    await world.take(other, first)
    assert await world.identities.find(PHONE, first) == other


async def test_going_back_and_forth_keeps_each_value_with_who_carries_it(world: _World) -> None:
    user, other = await world.make_user(3), await world.make_user(200)
    first, second, _ = _phones()

    for phone in (first, second, first, second, first):
        await world.take(user, phone)
    await world.take(other, second)

    assert await world.identities.find(PHONE, first) == user
    assert await world.identities.find(PHONE, second) == other


async def test_equal_and_different_changes_at_once_leave_one_value_taken(world: _World) -> None:
    user, other = await world.make_user(3), await world.make_user(200)
    phones = _phones()

    outcomes = await asyncio.gather(
        *(world.take(user, phone) for phone in phones * 4), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} <= {
        type(None),
        IdentityTakenError,  # another claim of the same user is still being let go
        ReservationLostError,
    }

    carried = await world.phone_of(user)
    assert carried in phones
    for phone in phones:
        if phone == carried:
            assert await world.identities.find(PHONE, phone) == user
            with pytest.raises(IdentityTakenError):
                await world.take(other, phone)
        else:
            assert await world.identities.find(PHONE, phone) is None
            await world.take(other, phone)
