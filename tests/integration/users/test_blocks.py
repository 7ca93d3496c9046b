from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from shared.sharding import ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.users.people import Meet, Person, on_first_shard
from tests.support.follows import pairs_of, settled
from tests.support.shard_rows import count_rows, on_every_shard
from tests.support.subgraphs import Answer, new_id

BLOCK = "mutation ($id: ID!) { blockUser(userId: $id) { id handle isBlockedByMe } }"
UNBLOCK = "mutation ($id: ID!) { unblockUser(userId: $id) { id handle isBlockedByMe } }"
BLOCKED = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  blockedUsers(first: $first, after: $after, last: $last, before: $before) {
    nodes { id handle }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

Shards = tuple[ShardConfig, ...]


async def _do(person: Person, operation: str, other: str) -> Answer:
    return await person.users(operation, {"id": other}, token=person.token)


async def _blocked(person: Person, **page: Any) -> dict[str, Any]:
    answer = await person.users(BLOCKED, page, token=person.token)
    blocked: dict[str, Any] = answer.ok()["blockedUsers"]
    return blocked


async def _events(shards: Shards, kind: str) -> list[dict[str, Any]]:
    query = "SELECT payload::text, key FROM outbox WHERE type = $1"
    rows = await on_every_shard(shards, query, kind)
    return [json.loads(row["payload"]) | {"key": row["key"]} for row in rows]


async def test_a_block_is_seen_by_both_and_announced(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)
    look = "query ($id: ID!) { user(id: $id) { handle displayName } }"

    blocked = await _do(ada, BLOCK, bob.id)
    ada_to_bob = await _do(bob, look, ada.id)
    bob_to_ada = await _do(ada, look, bob.id)

    assert blocked.ok()["blockUser"]["isBlockedByMe"] is True
    assert ada_to_bob.ok()["user"] == {"handle": "unavailable", "displayName": ""}
    assert bob_to_ada.ok()["user"]["handle"] != "unavailable"
    (event,) = await _events(users_shards, "user.blocked")
    assert (event["blockerId"], event["blockedId"], event["key"]) == (ada.id, bob.id, ada.id)


async def test_an_unblock_brings_the_profile_back_and_no_follows(
    meet: Meet, users_shards: Shards
) -> None:
    ada, bob = await meet(2)
    (await bob.follow(ada)).ok()
    await _do(ada, BLOCK, bob.id)

    unblocked = await _do(ada, UNBLOCK, bob.id)
    again = await _do(ada, UNBLOCK, bob.id)
    followed = await bob.follow(ada)

    assert unblocked.ok()["unblockUser"]["isBlockedByMe"] is False
    assert again.ok()["unblockUser"]["isBlockedByMe"] is False
    assert followed.ok()["follow"]["handle"] != "unavailable"
    (blocked,) = await _events(users_shards, "user.blocked")
    (event,) = await _events(users_shards, "user.unblocked")
    assert event["blockId"] == blocked["blockId"]
    assert (await _blocked(ada))["nodes"] == []


async def test_a_block_ends_follows_both_ways(meet: Meet, users_shards: Shards) -> None:
    ada, bob, eve = await meet(3)
    for follower, followee in ((ada, bob), (bob, ada), (eve, ada), (bob, eve)):
        (await follower.follow(followee)).ok()
    await settled(users_shards)

    (await _do(ada, BLOCK, bob.id)).ok()

    assert await pairs_of(users_shards) == {(eve.id, ada.id), (bob.id, eve.id)}
    assert (await bob.follow(ada)).codes == ["USER_BLOCKED"]
    assert (await ada.follow(bob)).codes == ["USER_BLOCKED"]


async def test_follows_and_blocks_at_once_end_without_a_follow(
    meet: Meet, users_shards: Shards
) -> None:
    ada, bob = await meet(2)

    await asyncio.gather(
        *(bob.follow(ada) for _ in range(4)),
        *(ada.follow(bob) for _ in range(4)),
        _do(ada, BLOCK, bob.id),
    )

    assert await pairs_of(users_shards) == set()


async def test_the_same_block_many_times_at_once_is_one(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)

    answers = await asyncio.gather(*(_do(ada, BLOCK, bob.id) for _ in range(8)))

    assert all(answer.ok()["blockUser"]["id"] == bob.id for answer in answers)
    assert await count_rows(users_shards, "blocks") == 1
    assert len(await _events(users_shards, "user.blocked")) == 1


async def test_two_may_block_each_other_at_once(meet: Meet, users_shards: Shards) -> None:
    ada, bob = await meet(2)

    answers = await asyncio.gather(_do(ada, BLOCK, bob.id), _do(bob, BLOCK, ada.id))

    assert [answer.errors for answer in answers] == [[], []]
    assert await count_rows(users_shards, "blocks") == 2


@pytest.mark.parametrize("operation", [BLOCK, UNBLOCK])
async def test_an_unknown_user_is_not_found_and_a_bad_id_refused(
    meet: Meet, users_shards: Shards, operation: str
) -> None:
    (ada,) = await meet(1)

    unknown = await _do(ada, operation, str(new_id(3)))
    malformed = await _do(ada, operation, "1' OR 1=1")

    assert unknown.codes == ["NOT_FOUND"]
    assert malformed.codes == ["BAD_USER_INPUT"]
    assert malformed.errors[0]["extensions"]["field"] == "userId"
    assert malformed.extensions["sql"]["statements"] == 0
    assert await count_rows(users_shards, "blocks") == 0


async def test_nobody_blocks_themselves(meet: Meet, users_shards: Shards) -> None:
    (ada,) = await meet(1)

    answer = await _do(ada, BLOCK, ada.id)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "userId"
    assert answer.extensions["sql"]["statements"] == 0


async def test_the_deactivated_can_be_blocked_and_the_deleted_not(
    meet: Meet, users_shards: Shards
) -> None:
    ada, bob = await meet(2)
    status = "UPDATE users SET status = $2 WHERE id = $1::uuid"
    uuid = bob.id.split("-")[1]

    await on_every_shard(users_shards, status, uuid, "DEACTIVATED")
    hidden = await _do(ada, BLOCK, bob.id)
    listed = await _blocked(ada)
    await _do(ada, UNBLOCK, bob.id)
    await on_every_shard(users_shards, status, uuid, "DELETED")
    gone = await _do(ada, BLOCK, bob.id)

    assert hidden.ok()["blockUser"]["handle"] == "unavailable"
    assert listed["nodes"] == []
    assert gone.codes == ["NOT_FOUND"]


async def test_the_list_of_the_blocked_goes_both_ways_and_is_ones_own(
    meet: Meet, users_shards: Shards
) -> None:
    ada, *others = await meet(6)
    for other in others:
        (await _do(ada, BLOCK, other.id)).ok()
    newest_first = [other.id for other in reversed(others)]

    first = await _blocked(ada, first=2)
    second = await _blocked(ada, first=2, after=first["pageInfo"]["endCursor"])
    third = await _blocked(ada, first=2, after=second["pageInfo"]["endCursor"])
    back = await _blocked(ada, last=2, before=third["pageInfo"]["startCursor"])
    strangers = await _blocked(others[0])

    pages = [[node["id"] for node in page["nodes"]] for page in (first, second, third)]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second, third)] == [
        True,
        True,
        False,
    ]
    assert back["nodes"] == second["nodes"]
    assert strangers["nodes"] == []


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ({"first": 101}, "first"),
        ({"first": -1}, "first"),
        ({"first": 1, "last": 1}, "last"),
        ({"after": "nonsense"}, "after"),
        ({"before": "WyJ1c2Vyczpjb250YWN0cyIsW11d"}, "before"),
    ],
)
async def test_bad_pages_are_refused(meet: Meet, page: dict[str, Any], field: str) -> None:
    (ada,) = await meet(1)

    answer = await ada.users(BLOCKED, page, token=ada.token)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    assert answer.extensions["sql"]["statements"] == 0


async def test_the_list_costs_one_statement_and_one_per_shard(meet: Meet) -> None:
    ada, *others = await meet(8)
    for other in others:
        (await _do(ada, BLOCK, other.id)).ok()

    answer = await ada.users(BLOCKED, {}, token=ada.token)

    own, foreign = ("shard-0", "shard-1") if on_first_shard(ada.id) else ("shard-1", "shard-0")
    assert len(answer.ok()["blockedUsers"]["nodes"]) == 7
    assert answer.statements == {own: 2, foreign: 1}


async def test_a_shard_that_is_down_is_missing_from_the_list_and_reported(
    meet: Meet, clusters: Sequence[PostgresCluster]
) -> None:
    people = await meet(6)
    ada = next(person for person in people if on_first_shard(person.id))
    others = [person for person in people if person is not ada]
    for other in others:
        (await _do(ada, BLOCK, other.id)).ok()

    await clusters[1].stop("immediate")
    try:
        listed = await ada.users(BLOCKED, {}, token=ada.token)
        down = next(person for person in others if not on_first_shard(person.id))
        block = await _do(ada, BLOCK, down.id)
    finally:
        await clusters[1].start()

    shown = {node["id"] for node in listed.data["blockedUsers"]["nodes"]}
    assert shown == {other.id for other in others if on_first_shard(other.id)}
    assert listed.codes == ["SHARD_UNAVAILABLE"]
    assert listed.errors[0]["path"] == ["blockedUsers"]
    assert block.codes == ["SHARD_UNAVAILABLE"]
