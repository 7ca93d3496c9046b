from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.sharding import ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.users.people import Meet, Person, on_first_shard
from tests.support.shard_rows import count_rows, on_every_shard
from tests.support.subgraphs import Answer, new_id

ADD = """
mutation ($id: ID!, $nickname: String) {
  addContact(userId: $id, nickname: $nickname) {
    nickname addedAt user { id handle isContact }
  }
}
"""
REMOVE = "mutation ($id: ID!) { removeContact(userId: $id) }"
CONTACTS = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  contacts(first: $first, after: $after, last: $last, before: $before) {
    nodes { nickname addedAt user { id handle } }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

Shards = tuple[ShardConfig, ...]


async def _add(person: Person, other: str, nickname: str | None = None) -> Answer:
    return await person.users(ADD, {"id": other, "nickname": nickname}, token=person.token)


async def _remove(person: Person, other: str) -> Answer:
    return await person.users(REMOVE, {"id": other}, token=person.token)


async def _contacts(person: Person, **page: Any) -> dict[str, Any]:
    answer = await person.users(CONTACTS, page, token=person.token)
    contacts: dict[str, Any] = answer.ok()["contacts"]
    return contacts


async def test_a_contact_is_in_the_list_of_who_added_them_alone(meet: Meet) -> None:
    ada, bob = await meet(2)

    added = (await _add(ada, bob.id, "  Bobby ")).ok()["addContact"]

    assert added["nickname"] == "Bobby"
    assert added["user"]["isContact"] is True
    (listed,) = (await _contacts(ada))["nodes"]
    assert (listed["nickname"], listed["addedAt"]) == ("Bobby", added["addedAt"])
    assert listed["user"]["id"] == bob.id
    assert (await _contacts(bob))["nodes"] == []


async def test_adding_again_changes_the_nickname_alone(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)
    first = (await _add(ada, bob.id, "Bobby")).ok()["addContact"]

    kept = (await _add(ada, bob.id)).ok()["addContact"]
    changed = (await _add(ada, bob.id, "Robert")).ok()["addContact"]
    taken = (await _add(ada, bob.id, "  ")).ok()["addContact"]

    nicknames = [contact["nickname"] for contact in (kept, changed, taken)]
    assert nicknames == ["Bobby", "Robert", None]
    assert {contact["addedAt"] for contact in (kept, changed, taken)} == {first["addedAt"]}
    assert await count_rows(users_shards, "contacts") == 1


async def test_removing_is_told_once_and_harmless_after(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)
    await _add(ada, bob.id)

    answers = await asyncio.gather(*(_remove(ada, bob.id) for _ in range(5)))

    assert sorted(answer.ok()["removeContact"] for answer in answers) == [False] * 4 + [True]
    assert await count_rows(users_shards, "contacts") == 0


async def test_many_additions_at_once_make_one_contact(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)

    answers = await asyncio.gather(*(_add(ada, bob.id, f"n{n}") for n in range(8)))

    assert len({answer.ok()["addContact"]["addedAt"] for answer in answers}) == 1
    assert await count_rows(users_shards, "contacts") == 1


@pytest.mark.parametrize("nickname", ["x" * 51, "a\x00b", "two\nlines", "x" * 1_000_000])
async def test_a_bad_nickname_is_refused(meet: Meet, users_shards: Shards, nickname: str) -> None:
    ada, bob = await meet(2)

    answer = await _add(ada, bob.id, nickname)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "nickname"
    assert answer.extensions["sql"]["statements"] == 0
    assert await count_rows(users_shards, "contacts") == 0


async def test_who_cannot_be_found_cannot_be_added(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)
    status = "UPDATE users SET status = $2 WHERE id = $1::uuid"

    codes = [(await _add(ada, other)).codes for other in (str(new_id(3)), "x", ada.id)]
    for state in ("DEACTIVATED", "DELETED"):
        await on_every_shard(users_shards, status, bob.id.split("-")[1], state)
        codes.append((await _add(ada, bob.id)).codes)

    assert codes == [
        ["NOT_FOUND"],
        ["BAD_USER_INPUT"],
        ["BAD_USER_INPUT"],
        ["NOT_FOUND"],
        ["NOT_FOUND"],
    ]
    assert await count_rows(users_shards, "contacts") == 0


async def test_who_has_blocked_cannot_be_added_and_stays_a_stub_in_the_list(
    meet: Meet, users_shards: Shards
) -> None:
    ada, bob = await meet(2)
    await _add(ada, bob.id, "Bobby")
    block = "mutation ($id: ID!) { blockUser(userId: $id) { id } }"
    (await bob.users(block, {"id": ada.id}, token=bob.token)).ok()

    refused = await _add(ada, bob.id, "Robert")
    (listed,) = (await _contacts(ada))["nodes"]
    removed = await _remove(ada, bob.id)

    assert refused.codes == ["USER_BLOCKED"]
    assert listed["nickname"] == "Bobby"
    assert listed["user"] == {"id": bob.id, "handle": "unavailable"}
    assert removed.ok() == {"removeContact": True}


async def test_only_ones_own_contacts_can_be_removed(meet: Meet, users_shards: Shards) -> None:
    ada, bob, eve = await meet(3)
    await _add(ada, bob.id)

    answer = await _remove(eve, bob.id)

    assert answer.ok() == {"removeContact": False}
    assert await count_rows(users_shards, "contacts") == 1


async def test_a_hundred_contacts_cost_one_statement_and_one_per_shard(
    meet: Meet, users_shards: Shards
) -> None:
    ada, *others = await meet(101)
    for other in others:
        (await _add(ada, other.id)).ok()

    answer = await ada.users(CONTACTS, {"first": 100}, token=ada.token)

    nodes = answer.ok()["contacts"]["nodes"]
    assert {node["user"]["id"] for node in nodes} == {other.id for other in others}
    own, foreign = ("shard-0", "shard-1") if on_first_shard(ada.id) else ("shard-1", "shard-0")
    assert answer.statements == {own: 2, foreign: 1}


async def test_pages_go_on_behind_contacts_who_are_not_shown(
    meet: Meet, users_shards: Shards
) -> None:
    ada, *others = await meet(6)
    for other in others:
        await _add(ada, other.id)
    newest_first = [other.id for other in reversed(others)]
    for hidden in newest_first[1:4]:
        uuid = hidden.split("-")[1]
        await on_every_shard(
            users_shards, "UPDATE users SET status = 'DEACTIVATED' WHERE id = $1::uuid", uuid
        )

    first = await _contacts(ada, first=2)
    second = await _contacts(ada, first=2, after=first["pageInfo"]["endCursor"])
    third = await _contacts(ada, first=2, after=second["pageInfo"]["endCursor"])
    back = await _contacts(ada, last=1, before=third["pageInfo"]["startCursor"])

    pages = [[node["user"]["id"] for node in page["nodes"]] for page in (first, second, third)]
    assert pages == [newest_first[:1], [], newest_first[4:]]
    assert second["pageInfo"]["hasNextPage"] is True
    assert third["pageInfo"]["hasNextPage"] is False
    assert back["pageInfo"]["hasPreviousPage"] is True


async def test_a_shard_that_is_down_is_missing_from_the_list_and_reported(
    meet: Meet, clusters: Sequence[PostgresCluster]
) -> None:
    people = await meet(4)
    ada = next(person for person in people if on_first_shard(person.id))
    for other in people:
        await _add(ada, other.id)

    await clusters[1].stop("immediate")
    try:
        listed = await ada.users(CONTACTS, {}, token=ada.token)
    finally:
        await clusters[1].start()

    shown = {node["user"]["id"] for node in listed.data["contacts"]["nodes"]}
    assert shown == {p.id for p in people if p is not ada and on_first_shard(p.id)}
    assert listed.codes == ["SHARD_UNAVAILABLE"]
    assert listed.errors[0]["path"] == ["contacts"]
