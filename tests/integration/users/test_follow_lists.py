"""Lists of who follows whom: pages, what they cost, who is left out; and what the viewer has with
others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, Slot, Topology
from shared.sharding.uuid7 import new_uuid7
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.repository import FollowRepository, Relation, UserRecord, UserRepository
from subgraphs.users.tables import AccountStatus
from tests.integration.users.people import Meet
from tests.support.follows import block, locked, read_follows, settled
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import SubgraphClient, Tokens, new_id

UserShards: TypeAlias = tuple[ShardConfig, ...]

LISTS = """
query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  user(id: $id) {
    followers(first: $first, after: $after, last: $last, before: $before) { ...page }
  }
}
fragment page on UserConnection {
  nodes { id handle }
  edges { cursor node { id } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}
"""
STANDINGS = """
query ($ids: [ID!]!) {
  users(ids: $ids) { id isFollowedByMe followsMe isContact isBlockedByMe }
}
"""
_SLOTS = (3, 40, 77, 127, 128, 160, 200, 255)


@pytest.fixture
async def shards(users_shards: UserShards) -> AsyncIterator[Shards]:
    async with Shards(Topology.initial(users_shards), ShardSettings(domain="users")) as opened:
        yield opened


class Crowd:
    """A user with followers who came one after the other, on eight slots of two shards."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self.star = EntityId.new(Slot(5))
        self.newest_first: list[str] = []

    async def gather(self, count: int) -> None:
        """Write them, with both sides of each follow."""
        follows = FollowRepository()
        await self._join(self.star)
        for number in range(count):
            fan = EntityId.new(Slot(_SLOTS[number % len(_SLOTS)]))
            await self._join(fan)
            follow_id = new_uuid7()
            for side, owner, other in (
                (follows.following, fan, self.star),
                (follows.followers, self.star, fan),
            ):
                row = Relation(id=follow_id, owner=owner, other=other, created_at=datetime.now(UTC))
                async with self._shards.write(owner.slot) as session:
                    await side.put(session, row)
            self.newest_first.insert(0, str(fan))

    async def _join(self, user_id: EntityId) -> None:
        user = UserRecord(
            id=user_id,
            email=None,
            handle=f"u_{user_id.uuid.hex[-20:]}",
            display_name="Fan",
            bio="",
            status=AccountStatus.ACTIVE,
            created_at=datetime.now(UTC),
        )
        async with self._shards.write(user_id.slot) as session:
            await UserRepository().insert_user(session, user, password_hash=None)


async def _crowd(shards: Shards, count: int) -> Crowd:
    crowd = Crowd(shards)
    await crowd.gather(count)
    return crowd


def _ids(connection: dict[str, Any]) -> list[str]:
    ids = [node["id"] for node in connection["nodes"]]
    assert ids == [edge["node"]["id"] for edge in connection["edges"]]
    return ids


async def test_a_hundred_followers_cost_one_statement_per_shard_with_their_list(
    users: SubgraphClient, shards: Shards, users_shards: UserShards, tokens: Tokens
) -> None:
    crowd = await _crowd(shards, 100)

    answer = await users(LISTS, {"id": str(crowd.star), "first": 100}, token=tokens.of(new_id(0)))

    connection = answer.ok()["user"]["followers"]
    assert _ids(connection) == crowd.newest_first
    # the star; then the list with the followers of its own shard, and those of the other
    assert answer.statements == {"shard-0": 1 + 1, "shard-1": 1}
    assert len(await read_follows(users_shards)) == 100


async def test_lists_of_many_users_cost_what_one_costs(
    users: SubgraphClient, shards: Shards, tokens: Tokens
) -> None:
    crowd = await _crowd(shards, 24)
    query = """
    query ($ids: [ID!]!) {
      users(ids: $ids) {
        followerCount followingCount isFollowedByMe followsMe isContact isBlockedByMe
        following(first: 5) { nodes { id } }
        followers(first: 5) { nodes { id } }
      }
    }
    """

    answer = await users(query, {"ids": crowd.newest_first}, token=tokens.of(new_id(200)))

    for user in answer.ok()["users"]:
        assert user["followingCount"] == 1
        assert [node["id"] for node in user["following"]["nodes"]] == [str(crowd.star)]
        assert user["followers"]["nodes"] == []
    # profiles and two lists; and what the viewer has with them, on the viewer's shard
    assert answer.statements == {"shard-0": 3, "shard-1": 4}


async def test_pages_go_through_the_list_in_both_directions(
    users: SubgraphClient, shards: Shards, tokens: Tokens
) -> None:
    crowd = await _crowd(shards, 11)
    token = tokens.of(new_id(0))

    async def page(**arguments: object) -> dict[str, Any]:
        answer = await users(LISTS, {"id": str(crowd.star), **arguments}, token=token)
        connection: dict[str, Any] = answer.ok()["user"]["followers"]
        return connection

    forth: list[str] = []
    cursor, more = None, True
    while more:
        found = await page(first=4, after=cursor)
        forth += _ids(found)
        cursor, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    back: list[str] = []
    cursor, more = None, True
    while more:
        found = await page(last=4, before=cursor)
        back = _ids(found) + back
        cursor, more = found["pageInfo"]["startCursor"], found["pageInfo"]["hasPreviousPage"]

    assert forth == back == crowd.newest_first
    assert _ids(await page(first=0)) == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": -1}, "first"),
        ({"first": 101}, "first"),
        ({"last": 101}, "last"),
        ({"first": 1, "last": 1}, "last"),
        ({"after": "nonsense"}, "after"),
        ({"before": "nonsense"}, "before"),
    ],
)
async def test_bad_arguments_are_refused(
    users: SubgraphClient, meet: Meet, arguments: dict[str, object], field: str
) -> None:
    (ada,) = await meet(1)

    answer = await users(LISTS, {"id": ada.id, **arguments}, token=ada.token)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field


async def test_a_cursor_of_another_list_is_refused(users: SubgraphClient, meet: Meet) -> None:
    ada, bob = await meet(2)
    (await ada.follow(bob)).ok()
    query = "query ($id: ID!) { user(id: $id) { following { pageInfo { endCursor } } } }"
    page = (await users(query, {"id": ada.id}, token=ada.token)).ok()["user"]["following"]

    answer = await users(
        LISTS, {"id": bob.id, "after": page["pageInfo"]["endCursor"]}, token=ada.token
    )

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_lists_leave_out_whom_the_viewer_may_not_see_and_go_on_behind_them(
    users: SubgraphClient, shards: Shards, users_shards: UserShards, tokens: Tokens
) -> None:
    crowd = await _crowd(shards, 6)
    gone = [EntityId.parse(text) for text in crowd.newest_first[2:5]]
    viewer = new_id(0)
    for status, user in zip(("DELETED", "DEACTIVATED"), gone, strict=False):
        await on_every_shard(
            users_shards, "UPDATE users SET status = $2 WHERE id = $1", user.uuid, status
        )
    async with locked(users_shards, gone[2]) as connection:
        await block(connection, gone[2], viewer)

    pages = []
    cursor, more = None, True
    while more:
        variables = {"id": str(crowd.star), "first": 2, "after": cursor}
        answer = await users(LISTS, variables, token=tokens.of(viewer))
        found = answer.ok()["user"]["followers"]
        pages.append(_ids(found))
        cursor, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]

    assert pages == [crowd.newest_first[:2], [], crowd.newest_first[5:]]


async def test_who_has_blocked_the_viewer_shows_neither_lists_nor_numbers(
    users: SubgraphClient, shards: Shards, users_shards: UserShards, tokens: Tokens
) -> None:
    crowd = await _crowd(shards, 3)
    viewer = new_id(0)
    async with locked(users_shards, crowd.star) as connection:
        await block(connection, crowd.star, viewer)
    query = """
    query ($representations: [_Any!]!) {
      _entities(representations: $representations) {
        ... on User {
          handle followerCount followingCount followers { nodes { id } } following { nodes { id } }
        }
      }
    }
    """

    answer = await users(
        query,
        {"representations": [{"__typename": "User", "id": str(crowd.star)}]},
        token=tokens.of(viewer),
    )

    assert answer.ok()["_entities"] == [
        {
            "handle": "unavailable",
            "followerCount": 0,
            "followingCount": 0,
            "followers": {"nodes": []},
            "following": {"nodes": []},
        }
    ]


async def test_what_the_viewer_has_with_others_is_one_statement_on_the_viewers_shard(
    users: SubgraphClient, meet: Meet, users_shards: UserShards
) -> None:
    ada, bob, eve, joe, kim, leo = await meet(6)
    (await ada.follow(bob)).ok()
    (await eve.follow(ada)).ok()
    me = EntityId.parse(ada.id)
    async with locked(users_shards, me) as connection:
        await block(connection, me, EntityId.parse(joe.id))
        contact = EntityId.parse(kim.id)
        await connection.execute(
            "INSERT INTO contacts (slot, owner_id, contact_slot, contact_id, id, created_at)"
            " VALUES ($1, $2, $3, $4, $5, now())",
            *(me.slot, me.uuid, contact.slot, contact.uuid, new_uuid7()),
        )
    await settled(users_shards)
    everybody = [person.id for person in (ada, bob, eve, joe, kim, leo)]

    answer = await users(STANDINGS, {"ids": everybody}, token=ada.token)

    names = ("isFollowedByMe", "followsMe", "isBlockedByMe", "isContact")
    found = [{name for name in names if user[name]} for user in answer.ok()["users"]]
    assert found == [set(), {names[0]}, {names[1]}, {names[2]}, {names[3]}, set()]
    assert answer.statements == {"shard-0": 2, "shard-1": 1}


async def test_a_machine_has_nothing_with_anybody(
    users: SubgraphClient, meet: Meet, tokens: Tokens
) -> None:
    (ada,) = await meet(1)

    answer = await users(STANDINGS, {"ids": [ada.id]}, token=tokens.of(None, "ops:read"))

    assert set(answer.ok()["users"][0].values()) == {ada.id, False}
    assert answer.statements == {"shard-0": 1}


async def test_a_shard_that_is_down_costs_its_own_followers_alone(
    users: SubgraphClient, shards: Shards, tokens: Tokens, clusters: Sequence[PostgresCluster]
) -> None:
    crowd = await _crowd(shards, 8)
    await clusters[1].stop("immediate")
    try:
        answer = await users(LISTS, {"id": str(crowd.star)}, token=tokens.of(new_id(0)))
    finally:
        await clusters[1].start()

    first = [user for user in crowd.newest_first if EntityId.parse(user).slot < 128]
    assert _ids(answer.data["user"]["followers"]) == first
    assert answer.codes == ["SHARD_UNAVAILABLE"]
    assert answer.errors[0]["path"] == ["user", "followers"]
