"""The reservation protocol on two real shards: races, crashes, retries, slow claimants."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text, update

from shared.sharding import (
    EntityId,
    Identities,
    IdentityTakenError,
    Reservation,
    ReservationLostError,
    Shards,
    ShardUnavailableError,
    Slot,
    count_statements,
    slot_for,
)
from shared.sharding.identities import ReservationState
from tests.integration.sharding.conftest import FIRST, NOTES, SECOND, Domain

EMAIL, HANDLE = "grace@example.com", "ada"  # on the second shard, on the first
HOME = slot_for(EMAIL)  # where a user lives who registers with this e-mail


@dataclass(slots=True)
class Users:
    """The owners of identities: a note whose text is the user's handle (a user's e-mail never
    changes here).
    """

    shards: Shards
    identities: Identities = field(init=False)

    def __post_init__(self) -> None:
        self.identities = Identities(self.shards, holds=self.holds)

    async def holds(self, owner: EntityId, kind: str, value: str) -> bool:
        wanted = select(NOTES.c.text).where(NOTES.c.slot == owner.slot, NOTES.c.id == owner.uuid)
        async with self.shards.read(owner.slot) as session:
            handle = (await session.execute(wanted)).scalar_one_or_none()
        return handle is not None and (kind == "email" or handle == value)

    async def reserve(
        self, email: str, handle: str, claimant: UUID | None = None
    ) -> list[Reservation]:
        claimant = claimant or uuid4()
        owner = EntityId.new(slot_for(email))
        first = await self.identities.reserve("email", email, owner=owner, claimant=claimant)
        second = await self.identities.reserve(
            "handle", handle, owner=first.owner, claimant=claimant
        )
        return [first, second]

    async def write(self, reservations: list[Reservation]) -> EntityId:
        owner, handle = reservations[-1].owner, reservations[-1].value
        async with self.shards.write(owner.slot) as session:
            await self.identities.fence(session, reservations)
            await session.execute(
                insert(NOTES), {"slot": owner.slot, "id": owner.uuid, "text": handle}
            )
        return owner

    async def register(self, email: str, handle: str, claimant: UUID | None = None) -> EntityId:
        reservations = await self.reserve(email, handle, claimant)
        if reservations[0].state is ReservationState.CONFIRMED:
            return reservations[0].owner
        owner = await self.write(reservations)
        await self.identities.confirm(reservations)
        return owner

    async def rename(self, owner: EntityId, handle: str) -> None:
        async with self.shards.write(owner.slot) as session:
            same = (NOTES.c.slot == owner.slot, NOTES.c.id == owner.uuid)
            await session.execute(update(NOTES).where(*same).values(text=handle))


@pytest.fixture
def users(shards: Shards) -> Users:
    return Users(shards)


async def lease_ends(shards: Shards, value: str) -> None:
    """As if the lease of this value had been taken so long ago that it has just ended."""
    slot = slot_for(value)
    async with shards.write(slot) as session:
        ended = text("UPDATE identities SET expires_at = clock_timestamp() WHERE value = :value")
        assert (await session.execute(ended, {"value": value})).rowcount == 1


async def test_the_two_identities_of_the_tests_lie_on_different_shards(shards: Shards) -> None:
    assert shards.topology.shard_of(slot_for(EMAIL)) == SECOND
    assert shards.topology.shard_of(slot_for(HANDLE)) == FIRST


async def test_a_registered_value_has_its_owner(users: Users) -> None:
    owner = await users.register(EMAIL, HANDLE)

    assert owner.slot == HOME
    assert await users.identities.find("email", EMAIL) == owner
    assert await users.identities.find("handle", HANDLE) == owner
    assert await users.identities.find("email", HANDLE) is None
    assert await users.identities.find("handle", "nobody") is None


async def test_of_twelve_who_want_one_value_at_once_one_gets_it(users: Users) -> None:
    results = await asyncio.gather(
        *(users.register(EMAIL, f"ada{number}") for number in range(12)), return_exceptions=True
    )

    winners = [result for result in results if isinstance(result, EntityId)]
    losers = [result for result in results if isinstance(result, IdentityTakenError)]
    assert (len(winners), len(losers)) == (1, 11)
    assert losers[0].extensions == {"code": "CONFLICT", "field": "email"}
    assert await users.identities.find("email", EMAIL) == winners[0]


async def test_twelve_attempts_of_one_claimant_make_one_owner(users: Users) -> None:
    claimant = uuid4()

    async def attempt() -> EntityId:
        reservations = await users.reserve(EMAIL, HANDLE, claimant)
        return reservations[1].owner

    owners = await asyncio.gather(*(attempt() for _ in range(12)))

    assert len(set(owners)) == 1


async def test_a_pending_value_is_taken_but_not_found(users: Users) -> None:
    await users.reserve(EMAIL, HANDLE)

    assert await users.identities.find("email", EMAIL) is None
    with pytest.raises(IdentityTakenError) as raised:
        await users.register("eve@example.com", HANDLE)
    assert raised.value.extensions == {"code": "CONFLICT", "field": "handle"}


async def test_a_crash_before_the_owner_is_written_frees_the_value_when_the_lease_ends(
    users: Users,
) -> None:
    await users.reserve(EMAIL, HANDLE)
    with pytest.raises(IdentityTakenError):
        await users.register(EMAIL, "eve")

    await lease_ends(users.shards, EMAIL)
    await lease_ends(users.shards, HANDLE)

    owner = await users.register(EMAIL, HANDLE)
    assert await users.identities.find("handle", HANDLE) == owner


async def test_a_crash_before_the_confirmation_leaves_the_value_with_its_owner(
    users: Users,
) -> None:
    owner = await users.write(await users.reserve(EMAIL, HANDLE))

    assert await users.identities.find("handle", HANDLE) == owner
    await lease_ends(users.shards, HANDLE)
    with pytest.raises(IdentityTakenError):
        await users.register("eve@example.com", HANDLE)

    assert await users.identities.find("handle", HANDLE) == owner
    await users.rename(owner, "ada2")  # so that only the row of the identity can speak for it
    assert await users.identities.find("handle", HANDLE) == owner


async def test_a_retry_finishes_the_registration_of_the_first_attempt(users: Users) -> None:
    claimant = uuid4()
    first = await users.reserve(EMAIL, HANDLE, claimant)

    owner = await users.register(EMAIL, HANDLE, claimant)

    assert owner == first[0].owner
    assert await users.register(EMAIL, HANDLE, claimant) == owner
    assert await users.identities.find("email", EMAIL) == owner


async def test_a_claimant_who_lost_the_local_value_cannot_write_its_owner(users: Users) -> None:
    slow = await users.reserve(EMAIL, HANDLE)
    await lease_ends(users.shards, EMAIL)
    winner = await users.register(EMAIL, "eve")

    with pytest.raises(ReservationLostError) as raised:
        await users.write(slow)

    assert raised.value.extensions["field"] == "email"
    assert not await users.holds(slow[0].owner, "email", EMAIL)
    assert await users.identities.find("email", EMAIL) == winner


async def test_a_claimant_in_the_last_part_of_its_lease_cannot_write_its_owner(
    users: Users,
) -> None:
    email, handle = await users.reserve(EMAIL, HANDLE)
    settings = users.shards.settings
    too_late = timedelta(minutes=5) - timedelta(seconds=settings.transaction_timeout + 31)
    aged = replace(handle, expires_at=handle.expires_at - too_late)
    too_old = replace(handle, expires_at=aged.expires_at - timedelta(seconds=2))

    with pytest.raises(ReservationLostError) as raised:
        await users.write([email, too_old])
    assert raised.value.extensions == {"code": "CONFLICT", "field": "handle", "retryable": True}
    assert not await users.holds(email.owner, "email", EMAIL)

    await users.write([email, aged])  # a second before that


async def test_a_fence_belongs_in_the_owners_slot(users: Users) -> None:
    reservations = await users.reserve(EMAIL, HANDLE)

    async def fence_elsewhere() -> None:
        async with users.shards.write(Slot(HOME - 1)) as session:
            await users.identities.fence(session, reservations)

    with pytest.raises(ValueError, match="owner's slot"):
        await fence_elsewhere()


async def test_released_values_are_free_at_once(users: Users) -> None:
    reservations = await users.reserve(EMAIL, HANDLE)

    await users.identities.release(reservations)
    await users.identities.release(reservations)

    owner = await users.register(EMAIL, HANDLE)
    await users.identities.release(reservations)  # no longer theirs
    assert await users.identities.find("email", EMAIL) == owner


async def test_a_release_spares_the_attempt_that_got_further(users: Users) -> None:
    claimant = uuid4()
    failing = await users.reserve(EMAIL, HANDLE, claimant)
    other = await users.reserve(EMAIL, HANDLE, claimant)
    owner = await users.write(other)

    await users.identities.release(failing)
    await users.identities.confirm(other)

    assert await users.identities.find("email", EMAIL) == owner
    assert await users.identities.find("handle", HANDLE) == owner


async def test_a_changed_value_is_freed_and_the_new_one_kept(users: Users) -> None:
    owner = await users.register(EMAIL, HANDLE)
    [new] = [await users.identities.reserve("handle", "countess", owner=owner, claimant=uuid4())]
    async with users.shards.write(owner.slot) as session:
        await users.identities.fence(session, [new])
    await users.rename(owner, "countess")
    await users.identities.confirm([new])
    await users.identities.withdraw("handle", HANDLE, owner=owner)

    assert await users.identities.find("handle", HANDLE) is None
    assert await users.identities.find("handle", "countess") == owner
    assert await users.register("eve@example.com", HANDLE) != owner


async def test_a_value_still_carried_or_another_s_is_not_withdrawn(users: Users) -> None:
    owner = await users.register(EMAIL, HANDLE)

    await users.identities.withdraw("handle", HANDLE, owner=owner)
    await users.identities.withdraw("handle", HANDLE, owner=EntityId.new(HOME))
    await users.identities.withdraw("handle", "nobody", owner=owner)

    assert await users.identities.find("handle", HANDLE) == owner


async def test_a_crash_before_the_withdrawal_does_not_block_the_value(users: Users) -> None:
    owner = await users.register(EMAIL, HANDLE)
    await users.rename(owner, "countess")

    assert await users.register("eve@example.com", HANDLE) != owner


async def test_an_owner_can_take_its_own_value_again(users: Users) -> None:
    owner = await users.register(EMAIL, HANDLE)

    again = await users.identities.reserve("handle", HANDLE, owner=owner, claimant=uuid4())

    assert again.owner == owner
    assert again.state is ReservationState.PENDING
    assert await users.identities.find("handle", HANDLE) == owner


async def test_a_confirmed_value_is_taken_even_when_its_owners_shard_is_down(
    domain: Domain,
) -> None:
    users = Users(domain.shards)
    owner = await users.register(EMAIL, HANDLE)
    assert domain.shards.topology.shard_of(owner.slot) == SECOND
    other = EntityId.new(slot_for(HANDLE))

    await domain.cluster_of(SECOND).stop()
    try:
        with pytest.raises(IdentityTakenError):
            await users.identities.reserve("handle", HANDLE, owner=other, claimant=uuid4())
        with pytest.raises(ShardUnavailableError):
            await users.identities.reserve("email", EMAIL, owner=other, claimant=uuid4())
    finally:
        await domain.cluster_of(SECOND).start()


async def test_an_outage_at_the_confirmation_does_not_undo_the_registration(
    domain: Domain,
) -> None:
    users = Users(domain.shards)
    reservations = await users.reserve(EMAIL, HANDLE)
    owner = await users.write(reservations)

    await domain.cluster_of(FIRST).stop()
    try:
        await users.identities.confirm(reservations)
    finally:
        await domain.cluster_of(FIRST).start()

    assert await users.identities.find("handle", HANDLE) == owner


async def test_a_lease_must_leave_time_to_write(shards: Shards) -> None:
    async def holds(owner: EntityId, kind: str, value: str) -> bool:
        return False

    with pytest.raises(ValueError, match="lease"):
        Identities(shards, holds=holds, lease=timedelta(seconds=60))


async def test_many_values_are_found_with_one_statement_per_shard(users: Users) -> None:
    owner = await users.register(EMAIL, HANDLE)
    pending = (await users.reserve("joan@example.com", "joan"))[0]

    with count_statements() as counts:
        found = await users.identities.find_candidates(
            "email", [EMAIL, "nobody@example.com", "joan@example.com", HANDLE]
        )

    assert found == {EMAIL: owner, "joan@example.com": pending.owner}
    assert counts.total == 2


async def test_no_values_cost_no_statement(users: Users) -> None:
    with count_statements() as counts:
        assert await users.identities.find_candidates("email", []) == {}

    assert counts.total == 0
