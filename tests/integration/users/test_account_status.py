from __future__ import annotations

from typing import Any

import pytest

from shared.sharding import ShardConfig
from tests.integration.users.conftest import Register
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import Answer, SubgraphClient, Tokens, new_id

PATHS = """
query ($id: ID!, $handle: String!, $representations: [_Any!]!) {
  user(id: $id) { ...seen }
  users(ids: [$id]) { ...seen }
  userByHandle(handle: $handle) { ...seen }
  _entities(representations: $representations) { ...seen }
}
fragment seen on User { id handle displayName bio email status }
"""


async def _look(users: SubgraphClient, user: dict[str, Any], token: str) -> dict[str, Any]:
    reference = {"__typename": "User", "id": user["id"]}
    variables = {"id": user["id"], "handle": user["handle"], "representations": [reference]}
    answer: Answer = await users(PATHS, variables, token=token)
    data: dict[str, Any] = answer.ok()
    return data


async def _set_status(shards: tuple[ShardConfig, ...], handle: str, status: str) -> None:
    await on_every_shard(shards, "UPDATE users SET status = $2 WHERE handle = $1", handle, status)


def _stub(user: dict[str, Any], handle: str, status: str) -> dict[str, Any]:
    nothing = {"displayName": "", "bio": "", "email": None}
    return {"id": user["id"], "handle": handle, "status": status, **nothing}


async def test_a_deleted_user_is_a_stub_that_no_handle_leads_to(
    users: SubgraphClient,
    register: Register,
    users_shards: tuple[ShardConfig, ...],
    tokens: Tokens,
) -> None:
    ada = (await register("ada")).ok()["register"]["user"]
    await _set_status(users_shards, "ada", "DELETED")
    stub = _stub(ada, "deleted", "DELETED")

    for token in (tokens.of(new_id(0)), tokens.of(new_id(0), "users:admin")):
        assert await _look(users, ada, token) == {
            "user": stub,
            "users": [stub],
            "userByHandle": None,
            "_entities": [stub],
        }


async def test_a_deleted_users_token_is_not_enough_for_me(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    await _set_status(users_shards, "ada", "DELETED")

    assert (await users("{ me { id } }", token=token)).codes == ["UNAUTHENTICATED"]


async def test_a_deactivated_user_is_found_by_nobody_and_referred_to_as_a_stub(
    users: SubgraphClient,
    register: Register,
    users_shards: tuple[ShardConfig, ...],
    tokens: Tokens,
) -> None:
    ada = (await register("ada")).ok()["register"]["user"]
    await _set_status(users_shards, "ada", "DEACTIVATED")

    assert await _look(users, ada, tokens.of(new_id(0))) == {
        "user": None,
        "users": [None],
        "userByHandle": None,
        "_entities": [_stub(ada, "unavailable", "DEACTIVATED")],
    }


@pytest.mark.parametrize("status", ["ACTIVE", "DEACTIVATED"])
async def test_users_see_themselves_and_administrators_see_them_in_any_state(
    users: SubgraphClient,
    register: Register,
    users_shards: tuple[ShardConfig, ...],
    tokens: Tokens,
    status: str,
) -> None:
    payload = (await register("ada")).ok()["register"]
    ada = payload["user"]
    await _set_status(users_shards, "ada", status)

    own = await _look(users, ada, payload["accessToken"])
    admin = await _look(users, ada, tokens.of(new_id(0), "users:admin"))

    for found, email in ((own, ada["email"]), (admin, None)):
        profiles = [found["user"], found["userByHandle"], *found["users"], *found["_entities"]]
        assert [(p["handle"], p["status"], p["email"]) for p in profiles] == [
            ("ada", status, email)
        ] * 4
