from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.db.connect import connect
from shared.sharding import EntityId, ShardConfig
from tests.integration.users.conftest import Register, rows_of
from tests.integration.users.test_credentials import LOGIN, PASSWORD, _phone_user
from tests.support.subgraphs import Answer, SubgraphClient, Tokens, new_id

Shards = tuple[ShardConfig, ...]
DEACTIVATE = "mutation { deactivateAccount }"
DELETE = "mutation ($password: String) { deleteAccount(password: $password) }"
SEEN = """
query ($id: ID!, $handle: String!) {
  user(id: $id) { handle status }
  userByHandle(handle: $handle) { id }
}
"""
BY_REFERENCE = """
query ($r: [_Any!]!) {
  _entities(representations: $r) { ... on User { handle displayName status } }
}
"""


async def _login(users: SubgraphClient, name: str) -> Answer:
    entered = {"email": f"{name}@example.com", "password": PASSWORD}
    return await users(LOGIN, {"input": entered})


async def _as_seen(users: SubgraphClient, tokens: Tokens, user: dict[str, Any]) -> Any:
    token = tokens.of(new_id(0))
    variables = {"id": user["id"], "handle": user["handle"]}
    return (await users(SEEN, variables, token=token)).ok()


async def _events(shards: Shards) -> list[str]:
    rows = sorted(await rows_of(shards, "outbox"), key=lambda row: row["recorded_at"])
    return [row["type"] for row in rows if row["type"] != "user.sessions_ended"]


async def test_a_deactivated_account_is_hidden_until_the_next_sign_in(
    users: SubgraphClient, register: Register, tokens: Tokens, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]

    left = (await users(DEACTIVATE, token=ada["accessToken"])).ok()
    meanwhile = await _as_seen(users, tokens, ada["user"])
    back = (await _login(users, "ada")).ok()["login"]
    afterwards = await _as_seen(users, tokens, ada["user"])

    assert left == {"deactivateAccount": True}
    assert meanwhile == {"user": None, "userByHandle": None}
    assert back["user"]["id"] == ada["user"]["id"]
    assert afterwards["user"] == {"handle": "ada", "status": "ACTIVE"}
    assert await _events(users_shards) == [
        "user.registered",
        "user.deactivated",
        "user.reactivated",
    ]
    live = [row for row in await rows_of(users_shards, "sessions") if row["revoked_at"] is None]
    assert len(live) == 1


async def test_a_phone_user_comes_back_by_a_code(
    users: SubgraphClient, tokens: Tokens, users_shards: Shards
) -> None:
    payload = await _phone_user(users)
    (await users(DEACTIVATE, token=payload["accessToken"])).ok()
    for shard in users_shards:
        await _execute(shard, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")

    again = await _phone_user(users)

    assert again["user"] == payload["user"]
    (row,) = await rows_of(users_shards, "users")
    assert row["status"] == "ACTIVE"


async def test_many_sign_ins_at_once_reactivate_once(
    users: SubgraphClient, register: Register, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    (await users(DEACTIVATE, token=ada["accessToken"])).ok()

    answers = await asyncio.gather(*(_login(users, "ada") for _ in range(8)))

    assert not any(answer.errors for answer in answers)
    assert (await _events(users_shards)).count("user.reactivated") == 1


async def test_a_deactivated_account_is_not_changed_by_an_old_token(
    users: SubgraphClient, register: Register, tokens: Tokens, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    (await users(DEACTIVATE, token=ada["accessToken"])).ok()
    # of no session, so that nothing but the account's state refuses it
    token = tokens.of(EntityId.parse(ada["user"]["id"]))
    (before,) = await rows_of(users_shards, "users")

    for change in (
        'updateProfile(input: { bio: "still here" }) { id }',
        'updateProfile(input: { handle: "still_here" }) { id }',
        'linkEmail(email: "b@example.com", password: "correct horse 1") { id }',
        "deactivateAccount",
    ):
        assert (await users(f"mutation {{ {change} }}", token=token)).codes == ["UNAUTHENTICATED"]

    (after,) = await rows_of(users_shards, "users")
    assert after == before


async def test_a_deleted_account_is_a_nameless_stub_and_keeps_its_names_from_others(
    users: SubgraphClient, register: Register, tokens: Tokens, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]

    gone = (await users(DELETE, {"password": PASSWORD}, token=ada["accessToken"])).ok()

    assert gone == {"deleteAccount": True}
    reference = {"__typename": "User", "id": ada["user"]["id"]}
    seen = await users(BY_REFERENCE, {"r": [reference]}, token=tokens.of(new_id(0)))
    assert seen.ok()["_entities"] == [{"handle": "deleted", "displayName": "", "status": "DELETED"}]
    assert (await _as_seen(users, tokens, ada["user"]))["userByHandle"] is None
    assert (await _login(users, "ada")).codes == ["UNAUTHENTICATED"]
    impersonator = await register("eve", handle="ada")
    assert impersonator.codes == ["CONFLICT"]
    assert (await register("eve", email="ada@example.com")).codes == ["CONFLICT"]
    assert await _events(users_shards) == ["user.registered", "user.deleted"]
    assert all(row["revoked_at"] for row in await rows_of(users_shards, "sessions"))


@pytest.mark.parametrize("password", [None, "", "wrong password", "x" * 1_000_000])
async def test_an_account_with_a_password_is_not_deleted_without_it(
    users: SubgraphClient, register: Register, users_shards: Shards, password: str | None
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    answer = await users(DELETE, {"password": password}, token=token)

    assert answer.codes == ["FORBIDDEN"]
    assert answer.errors[0]["extensions"]["field"] == "password"
    (row,) = await rows_of(users_shards, "users")
    assert (row["status"], row["deleted_at"]) == ("ACTIVE", None)


async def test_a_deleted_users_number_makes_a_new_account(
    users: SubgraphClient, users_shards: Shards
) -> None:
    first = await _phone_user(users)
    (await users(DELETE, token=first["accessToken"])).ok()
    for shard in users_shards:
        await _execute(shard, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")

    second = await _phone_user(users)

    assert second["user"]["id"] != first["user"]["id"]
    rows = {row["status"]: row["phone"] for row in await rows_of(users_shards, "users")}
    assert rows == {"DELETED": None, "ACTIVE": "+4930901820"}


async def test_an_account_deleted_many_times_at_once_is_deleted_once(
    users: SubgraphClient, register: Register, tokens: Tokens, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]["user"]
    token = tokens.of(EntityId.parse(ada["id"]))

    answers = await asyncio.gather(
        *(users(DELETE, {"password": PASSWORD}, token=token) for _ in range(6))
    )

    assert sorted(answer.codes for answer in answers) == [[]] + [["UNAUTHENTICATED"]] * 5
    assert (await _events(users_shards)).count("user.deleted") == 1


async def test_signing_in_while_the_account_is_deleted_leaves_no_session(
    users: SubgraphClient, register: Register, users_shards: Shards
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    await asyncio.gather(
        *(_login(users, "ada") for _ in range(6)),
        users(DELETE, {"password": PASSWORD}, token=token),
        *(_login(users, "ada") for _ in range(6)),
    )

    (row,) = await rows_of(users_shards, "users")
    assert row["status"] == "DELETED"
    assert all(row["revoked_at"] for row in await rows_of(users_shards, "sessions"))


async def _execute(shard: ShardConfig, statement: str) -> None:
    connection = await connect(shard.primary, application_name="test")
    await connection.execute(statement)
    await connection.close()
