from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.db.connect import connect
from shared.sharding import EntityId, ShardConfig, Slot
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.users.conftest import Register
from tests.support.subgraphs import Answer, SubgraphClient, Tokens, new_id

USERS = "query ($ids: [ID!]!) { users(ids: $ids) { id handle email } }"
ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on User { id handle email } }
}
"""
UPDATE = """
mutation ($input: UpdateProfileInput!) {
  updateProfile(input: $input) { id handle displayName bio email }
}
"""


async def _many(register: Register, count: int) -> list[dict[str, Any]]:
    answers = await asyncio.gather(*(register(f"user_{number}") for number in range(count)))
    return [answer.ok()["register"] for answer in answers]


def _shard(user: dict[str, Any]) -> int:
    return 0 if EntityId.parse(user["id"]).slot < 128 else 1


async def _split(register: Register, count: int = 12) -> tuple[list[Any], list[Any]]:
    """Users on the first and on the second shard."""
    users = [payload["user"] for payload in await _many(register, count)]
    parts = [user for user in users if _shard(user) == 0], [u for u in users if _shard(u) == 1]
    assert all(parts)
    return parts


async def test_users_come_in_the_order_asked_with_null_for_none(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    first, second = await _split(register)
    nobody = str(new_id(3))
    ids = [second[0]["id"], nobody, first[0]["id"], second[0]["id"]]

    answer = await users(USERS, {"ids": ids}, token=tokens.of(new_id(0)))

    assert [user and user["id"] for user in answer.ok()["users"]] == [ids[0], None, *ids[2:]]
    assert answer.statements == {"shard-0": 1, "shard-1": 1}


async def test_a_hundred_references_cost_one_statement_per_shard(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    registered = [payload["user"] for payload in await _many(register, 100)]
    representations = [{"__typename": "User", "id": user["id"]} for user in registered]

    answer = await users(ENTITIES, {"representations": representations}, token=tokens.of(new_id(0)))

    assert [user["id"] for user in answer.ok()["_entities"]] == [u["id"] for u in registered]
    assert answer.statements == {"shard-0": 1, "shard-1": 1}


async def test_email_is_shown_to_oneself_alone_on_every_path(
    users: SubgraphClient, register: Register
) -> None:
    ada, bob = (payload for payload in await _many(register, 2))
    handle = ada["user"]["handle"]
    query = """
    query ($id: ID!, $handle: String!, $representations: [_Any!]!) {
      user(id: $id) { email }
      users(ids: [$id]) { email }
      userByHandle(handle: $handle) { email }
      _entities(representations: $representations) { ... on User { email } }
    }
    """
    variables = {
        "id": ada["user"]["id"],
        "handle": handle,
        "representations": [{"__typename": "User", "id": ada["user"]["id"]}],
    }

    own = await users(query, variables, token=ada["accessToken"])
    others = await users(query, variables, token=bob["accessToken"])

    assert _emails(own) == {ada["user"]["email"]}
    assert _emails(others) == {None}


def _emails(answer: Answer) -> set[str | None]:
    data = answer.ok()
    found = [data["user"], data["userByHandle"], *data["users"], *data["_entities"]]
    assert len(found) == 4
    return {user["email"] for user in found}


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "0-",
        "256-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f",
        "00-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f",
        "1-0198C1F2A4B87C3E9D5F0A1B2C3D4E5F",
        "1-0198c1f2a4b84c3e9d5f0a1b2c3d4e5f",
        "1' OR 1=1",
    ],
)
async def test_a_malformed_id_costs_no_statement(
    users: SubgraphClient, tokens: Tokens, bad: str
) -> None:
    token = tokens.of(new_id(0))
    one = await users("query ($id: ID!) { user(id: $id) { id } }", {"id": bad}, token=token)
    many = await users(USERS, {"ids": [str(new_id(1)), bad]}, token=token)
    reference = await users(
        ENTITIES, {"representations": [{"__typename": "User", "id": bad}]}, token=token
    )

    for answer, field in ((one, "id"), (many, "ids"), (reference, "id")):
        assert answer.codes == ["BAD_USER_INPUT"]
        assert answer.errors[0]["extensions"]["field"] == field
        assert answer.extensions["sql"]["statements"] == 0


async def test_more_than_a_hundred_ids_are_refused(users: SubgraphClient, tokens: Tokens) -> None:
    ids = [str(new_id(number)) for number in range(101)]

    answer = await users(USERS, {"ids": ids}, token=tokens.of(new_id(0)))

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.extensions["sql"]["statements"] == 0


async def test_with_one_shard_down_only_its_users_are_missing(
    users: SubgraphClient,
    register: Register,
    tokens: Tokens,
    clusters: Sequence[PostgresCluster],
) -> None:
    first, second = await _split(register)
    ids = [second[0]["id"], first[0]["id"], second[1]["id"], first[1]["id"]]
    token = tokens.of(new_id(0))

    await clusters[1].stop("immediate")
    try:
        answer = await users(USERS, {"ids": ids}, token=token)
        references = [{"__typename": "User", "id": user_id} for user_id in ids]
        entities = await users(ENTITIES, {"representations": references}, token=token)
    finally:
        await clusters[1].start()
    recovered = await users(USERS, {"ids": ids}, token=token)

    for found, field in ((answer, "users"), (entities, "_entities")):
        assert [user and user["id"] for user in found.data[field]] == [None, ids[1], None, ids[3]]
        assert found.codes == ["SHARD_UNAVAILABLE"] * 2
        assert sorted(error["path"] for error in found.errors) == [[field, 0], [field, 2]]
        assert all(error["extensions"]["retryable"] for error in found.errors)
    assert [user["id"] for user in recovered.ok()["users"]] == ids


async def test_all_users_are_merged_over_shards_newest_first(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    created = [payload["user"]["id"] for payload in await _many(register, 15)]
    query = """
    query ($first: Int, $after: String, $shard: Int) {
      allUsers(first: $first, after: $after, shard: $shard) {
        nodes { id email } edges { cursor } pageInfo { hasNextPage endCursor }
      }
    }
    """
    token = tokens.of(new_id(0), "users:admin")

    pages: list[str] = []
    after = None
    for expected in (4, 4, 4, 3):
        answer = await users(query, {"first": 4, "after": after}, token=token)
        page = answer.ok()["allUsers"]
        assert answer.statements == {"shard-0": 1, "shard-1": 1}
        assert len(page["nodes"]) == expected
        assert {node["email"] for node in page["nodes"]} == {None}
        pages += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is (len(pages) < 15)
    one = await users(query, {"first": 100, "shard": 1}, token=token)

    assert sorted(pages) == sorted(created)
    assert pages == sorted(pages, key=lambda text: EntityId.parse(text).uuid, reverse=True)
    assert one.statements == {"shard-1": 1}
    assert [node["id"] for node in one.ok()["allUsers"]["nodes"]] == [
        user_id for user_id in pages if EntityId.parse(user_id).slot >= 128
    ]


async def test_all_users_reports_a_shard_that_is_down_and_shows_the_rest(
    users: SubgraphClient,
    register: Register,
    tokens: Tokens,
    clusters: Sequence[PostgresCluster],
) -> None:
    first, _ = await _split(register)

    await clusters[1].stop("immediate")
    try:
        answer = await users(
            "{ allUsers(first: 100) { nodes { id } } }",
            token=tokens.of(new_id(0), "users:admin"),
        )
    finally:
        await clusters[1].start()

    assert {node["id"] for node in answer.data["allUsers"]["nodes"]} == {u["id"] for u in first}
    assert answer.codes == ["SHARD_UNAVAILABLE"]
    assert answer.errors[0]["path"] == ["allUsers"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ("first: 101", "first"),
        ("first: -1", "first"),
        ('after: "nonsense"', "after"),
        ("shard: 2", "shard"),
        ("shard: -1", "shard"),
    ],
)
async def test_bad_pages_of_all_users_are_refused(
    users: SubgraphClient, tokens: Tokens, arguments: str, field: str
) -> None:
    answer = await users(
        f"{{ allUsers({arguments}) {{ nodes {{ id }} }} }}",
        token=tokens.of(new_id(0), "users:admin"),
    )

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field


async def test_all_users_needs_the_scope(users: SubgraphClient, tokens: Tokens) -> None:
    answer = await users("{ allUsers { nodes { id } } }", token=tokens.of(new_id(0)))

    assert answer.codes == ["FORBIDDEN"]
    assert answer.extensions["sql"]["statements"] == 0


async def test_a_handle_is_found_in_any_case(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    ada = (await register("ada")).ok()["register"]["user"]
    query = "query ($handle: String!) { userByHandle(handle: $handle) { id } }"
    token = tokens.of(new_id(0))

    for handle, expected in (("ADA", {"id": ada["id"]}), ("nobody", None), ("n o", None)):
        answer = await users(query, {"handle": handle}, token=token)
        assert answer.ok() == {"userByHandle": expected}


async def test_a_changed_handle_frees_the_old_one(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    ada, bob = (await _many(register, 2))[:2]
    old = ada["user"]["handle"]
    query = "query ($handle: String!) { userByHandle(handle: $handle) { id } }"

    changed = await users(UPDATE, {"input": {"handle": "Countess"}}, token=ada["accessToken"])
    taken = await users(UPDATE, {"input": {"handle": "countess"}}, token=bob["accessToken"])
    gone = await users(query, {"handle": old}, token=bob["accessToken"])
    freed = await users(UPDATE, {"input": {"handle": old}}, token=bob["accessToken"])

    assert changed.ok()["updateProfile"]["handle"] == "countess"
    assert changed.data["updateProfile"]["email"] == ada["user"]["email"]
    assert taken.codes == ["CONFLICT"]
    assert taken.errors[0]["extensions"]["field"] == "handle"
    assert gone.ok() == {"userByHandle": None}
    assert freed.ok()["updateProfile"]["handle"] == old


async def test_many_who_want_one_handle_at_once_make_one_happy(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    payloads = await _many(register, 8)

    answers = await asyncio.gather(
        *(
            users(UPDATE, {"input": {"handle": "wanted"}}, token=payload["accessToken"])
            for payload in payloads
        )
    )

    assert sum(not answer.errors for answer in answers) == 1
    assert {answer.codes[0] for answer in answers if answer.errors} == {"CONFLICT"}
    holders = 0
    for shard in users_shards:
        connection = await connect(shard.primary, application_name="test")
        holders += await connection.fetchval("SELECT count(*) FROM users WHERE handle = 'wanted'")
        await connection.close()
    assert holders == 1


async def test_one_user_changing_handles_at_once_ends_with_one(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    await asyncio.gather(
        *(users(UPDATE, {"input": {"handle": f"ada_{n}"}}, token=token) for n in range(6))
    )

    handle = (await users("{ me { handle } }", token=token)).ok()["me"]["handle"]
    confirmed: list[str] = []
    for shard in users_shards:
        connection = await connect(shard.primary, application_name="test")
        confirmed += [
            row["value"]
            for row in await connection.fetch("SELECT value FROM identities WHERE kind = 'handle'")
        ]
        await connection.close()
    assert confirmed == [handle]


async def test_what_is_left_out_of_an_update_stays(
    users: SubgraphClient, register: Register
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    await users(UPDATE, {"input": {"bio": "First line\r\nsecond"}}, token=token)
    answer = await users(UPDATE, {"input": {"displayName": "Ada King"}}, token=token)

    profile = answer.ok()["updateProfile"]
    assert (profile["displayName"], profile["bio"], profile["handle"]) == (
        "Ada King",
        "First line\nsecond",
        "ada",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("handle", "no spaces"), ("displayName", ""), ("bio", "x" * 301), ("bio", "a\x00b")],
)
async def test_a_bad_update_changes_nothing(
    users: SubgraphClient, register: Register, field: str, value: str
) -> None:
    payload = (await register("ada")).ok()["register"]

    answer = await users(
        UPDATE, {"input": {"bio": "new", field: value}}, token=payload["accessToken"]
    )

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    me = await users("{ me { bio } }", token=payload["accessToken"])
    assert me.ok() == {"me": {"bio": ""}}


@pytest.mark.parametrize(
    "query",
    [
        "{ me { id } }",
        '{ user(id: "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f") { id } }',
        '{ users(ids: ["0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f"]) { id } }',
        '{ userByHandle(handle: "ada") { id } }',
        "{ allUsers { nodes { id } } }",
        'mutation { updateProfile(input: {bio: "x"}) { id } }',
        '{ _entities(representations: [{__typename: "User", '
        'id: "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f"}]) { ... on User { id } } }',
    ],
)
async def test_everything_but_signing_in_needs_a_token(users: SubgraphClient, query: str) -> None:
    answer = await users(query)

    assert answer.codes == ["UNAUTHENTICATED"]
    assert answer.extensions["sql"]["statements"] == 0


async def test_a_token_of_a_user_that_is_no_more_is_not_enough_for_me(
    users: SubgraphClient, tokens: Tokens
) -> None:
    answer = await users("{ me { id } }", token=tokens.of(EntityId.new(Slot(5))))

    assert answer.codes == ["UNAUTHENTICATED"]
