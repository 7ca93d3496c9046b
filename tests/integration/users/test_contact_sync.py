from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig, slot_for
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.people import Meet, Person, on_first_shard
from tests.support.phones import give_phone
from tests.support.shard_rows import count_rows, on_every_shard
from tests.support.subgraphs import Answer, Tokens, cheap_passwords, running, shard_entries

SYNC = """
mutation ($phones: [String!]!) {
  syncContacts(phones: $phones) { nickname addedAt user { id phone isContact } }
}
"""
BLOCK = "mutation ($id: ID!) { blockUser(userId: $id) { id } }"
ADD = "mutation ($id: ID!, $name: String) { addContact(userId: $id, nickname: $name) { addedAt } }"
MEGABYTE = "+" + "4" * 2**20
UNKNOWN = "+4930901829999"

Shards = tuple[ShardConfig, ...]


def _number(index: int) -> str:
    return f"+49309018{1000 + index}"


async def _give_phones(shards: Shards, people: Sequence[Person]) -> list[str]:
    numbers = [_number(index) for index in range(len(people))]
    for person, number in zip(people, numbers, strict=True):
        await give_phone(shards, person.id, number)
    return numbers


async def _sync(person: Person, phones: Sequence[str]) -> Answer:
    return await person.users(SYNC, {"phones": list(phones)}, token=person.token)


def _ids(answer: Answer) -> list[str]:
    return [contact["user"]["id"] for contact in answer.ok()["syncContacts"]]


async def test_those_who_are_here_come_in_the_order_of_their_numbers_each_once(
    meet: Meet, users_shards: Shards
) -> None:
    ada, *others = await meet(5)
    numbers = await _give_phones(users_shards, others)
    spelled = numbers[1].replace("+4930", "+49 (0)30 ")

    answer = await _sync(
        ada, [numbers[2], UNKNOWN, numbers[0], numbers[2], spelled, numbers[1], numbers[3]]
    )

    assert _ids(answer) == [others[n].id for n in (2, 0, 1, 3)]
    assert all(contact["user"]["isContact"] for contact in answer.data["syncContacts"])
    # theirs is theirs to show: they do not have her as a contact
    assert {contact["user"]["phone"] for contact in answer.data["syncContacts"]} == {None}
    assert await count_rows(users_shards, "contacts") == 4


async def test_a_second_time_nothing_changes(meet: Meet, users_shards: Shards) -> None:
    ada, bob, eve = await meet(3)
    numbers = await _give_phones(users_shards, [bob, eve])
    added = await ada.users(ADD, {"id": bob.id, "name": "Bobby"}, token=ada.token)

    first = (await _sync(ada, numbers)).ok()["syncContacts"]
    second = (await _sync(ada, reversed_(numbers))).ok()["syncContacts"]

    assert first == reversed_(second)
    assert first[0]["nickname"] == "Bobby"
    assert first[0]["addedAt"] == added.ok()["addContact"]["addedAt"]


async def test_many_at_once_in_any_order_add_each_contact_once(
    meet: Meet, users_shards: Shards
) -> None:
    ada, *others = await meet(9)
    numbers = await _give_phones(users_shards, others)

    answers = await asyncio.gather(
        *(_sync(ada, numbers[n:] + numbers[:n]) for n in range(len(numbers)))
    )

    assert {len(_ids(answer)) for answer in answers} == {8}
    assert await count_rows(users_shards, "contacts") == 8


async def test_numbers_that_lead_to_nobody_to_be_found_look_all_the_same(
    meet: Meet, users_shards: Shards
) -> None:
    ada, blocker, deactivated, deleted, stale = await meet(5)
    numbers = await _give_phones(users_shards, [ada, blocker, deactivated, deleted, stale])
    (await blocker.users(BLOCK, {"id": ada.id}, token=blocker.token)).ok()
    for person, status in ((deactivated, "DEACTIVATED"), (deleted, "DELETED")):
        await _update(users_shards, person, f"status = '{status}'")
    await _update(users_shards, stale, "phone = NULL")  # the reservation is still there

    answer = await _sync(ada, [UNKNOWN, *numbers])

    assert answer.ok() == {"syncContacts": []}
    assert await count_rows(users_shards, "contacts") == 0


@pytest.mark.parametrize(
    "bad",
    ["", "030 901820", "+", "+49", "abc", "+4930901820\x00", "++4930901820", MEGABYTE],
)
async def test_a_malformed_number_is_named_and_nothing_is_added(
    meet: Meet, users_shards: Shards, bad: str
) -> None:
    ada, bob = await meet(2)
    (number,) = await _give_phones(users_shards, [bob])

    answer = await _sync(ada, [number, UNKNOWN, bad])

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "phones"
    assert answer.errors[0]["extensions"]["index"] == 2
    assert answer.extensions["sql"]["statements"] == 0
    assert await count_rows(users_shards, "contacts") == 0


async def test_five_hundred_numbers_cost_one_statement_per_shard_and_step(
    meet: Meet, users_shards: Shards
) -> None:
    ada, *others = await meet(11)
    numbers = await _give_phones(users_shards, others)
    unknown = [_number(index) for index in range(20, 510)]

    answer = await _sync(ada, [*numbers, *unknown])
    too_many = await _sync(ada, [*numbers, *unknown, _number(511)])
    none = await _sync(ada, [])

    assert _ids(answer) == [other.id for other in others]
    # identities and users on both shards; on her own the contacts, written and read, and the
    # relation that isContact asks for
    own, foreign = ("shard-0", "shard-1") if on_first_shard(ada.id) else ("shard-1", "shard-0")
    assert answer.statements == {own: 5, foreign: 2}
    assert too_many.codes == ["BAD_USER_INPUT"]
    assert too_many.errors[0]["extensions"]["field"] == "phones"
    assert too_many.extensions["sql"]["statements"] == 0
    assert none.ok() == {"syncContacts": []}


async def test_with_a_shard_down_nothing_is_added(
    meet: Meet, users_shards: Shards, clusters: Sequence[PostgresCluster]
) -> None:
    people = await meet(8)
    ada = next(person for person in people if on_first_shard(person.id))
    others = [person for person in people if person is not ada]
    numbers = await _give_phones(users_shards, others)

    await clusters[1].stop("immediate")
    try:
        answer = await _sync(ada, numbers)
    finally:
        await clusters[1].start()

    assert answer.codes == ["SHARD_UNAVAILABLE"]
    assert answer.errors[0]["extensions"]["retryable"] is True
    assert await count_rows(users_shards, "contacts") == 0
    assert len(_ids(await _sync(ada, numbers))) == 7


async def test_numbers_cannot_be_tried_out_without_end(
    users_shards: Shards, tokens: Tokens
) -> None:
    settings = UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.DEVELOPMENT,
        limit_sync_contacts_user="2/3600",
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())
    first, second = (tokens.of(EntityId.new(slot_for(name))) for name in ("ada", "bob"))
    async with running(app) as users:
        for _ in range(2):
            (await users(SYNC, {"phones": [UNKNOWN]}, token=first)).ok()
        refused = await users(SYNC, {"phones": [UNKNOWN]}, token=first)
        others = await users(SYNC, {"phones": [UNKNOWN]}, token=second)

    assert refused.codes == ["RATE_LIMITED"]
    assert 0 < refused.errors[0]["extensions"]["retryAfter"] <= 3600
    assert refused.extensions["sql"]["statements"] == 0
    assert others.ok() == {"syncContacts": []}


def reversed_(items: Sequence[Any]) -> list[Any]:
    return list(reversed(items))


async def _update(shards: Shards, person: Person, change: str) -> None:
    uuid = person.id.split("-")[1]
    await on_every_shard(shards, f"UPDATE users SET {change} WHERE id = $1::uuid", uuid)  # noqa: S608
