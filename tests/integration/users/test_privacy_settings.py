from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.sharding import ShardConfig
from tests.integration.users.conftest import Register
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import SubgraphClient, Tokens, new_id

SETTINGS = "{ privacySettings { lastSeen profilePhoto about readReceipts updatedAt } }"
UPDATE = """
mutation ($input: PrivacySettingsInput!) {
  updatePrivacySettings(input: $input) { lastSeen profilePhoto about readReceipts updatedAt }
}
"""
SEEN = "query ($id: ID!) { user(id: $id) { bio avatar { id } } }"
PROFILE = """
mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { bio avatar { id } } }
"""


async def test_a_new_user_shows_everything_to_everyone(
    users: SubgraphClient, register: Register
) -> None:
    payload = (await register("ada")).ok()["register"]

    answer = await users(SETTINGS, token=payload["accessToken"])

    assert answer.ok()["privacySettings"] == {
        "lastSeen": "EVERYONE",
        "profilePhoto": "EVERYONE",
        "about": "EVERYONE",
        "readReceipts": True,
        "updatedAt": payload["user"]["createdAt"],
    }


async def test_what_is_left_out_or_null_stays(users: SubgraphClient, register: Register) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    first = await users(UPDATE, {"input": {"about": "NOBODY"}}, token=token)
    second = await users(
        UPDATE,
        {"input": {"readReceipts": False, "about": None, "lastSeen": "CONTACTS"}},
        token=token,
    )
    settings = (await users(SETTINGS, token=token)).ok()["privacySettings"]

    assert first.ok()["updatePrivacySettings"]["about"] == "NOBODY"
    assert settings == second.ok()["updatePrivacySettings"]
    assert settings["updatedAt"] > first.data["updatePrivacySettings"]["updatedAt"]
    del settings["updatedAt"]
    assert settings == {
        "lastSeen": "CONTACTS",
        "profilePhoto": "EVERYONE",
        "about": "NOBODY",
        "readReceipts": False,
    }


async def test_settings_hide_from_others_at_once_and_not_from_oneself(
    users: SubgraphClient, register: Register
) -> None:
    ada, bob = [(await register(name)).ok()["register"] for name in ("ada", "bob")]
    media = str(new_id(9))
    entered = {"bio": "Analyst", "avatarMediaId": media}
    open_profile = {"bio": "Analyst", "avatar": {"id": media}}

    changed = await users(PROFILE, {"input": entered}, token=ada["accessToken"])
    before = await users(SEEN, {"id": ada["user"]["id"]}, token=bob["accessToken"])
    await users(
        UPDATE, {"input": {"about": "NOBODY", "profilePhoto": "NOBODY"}}, token=ada["accessToken"]
    )
    after = await users(SEEN, {"id": ada["user"]["id"]}, token=bob["accessToken"])
    own = await users(SEEN, {"id": ada["user"]["id"]}, token=ada["accessToken"])

    assert changed.ok()["updateProfile"] == open_profile
    assert before.ok()["user"] == open_profile
    assert after.ok()["user"] == {"bio": "", "avatar": None}
    assert own.ok()["user"] == open_profile


async def test_many_changes_at_once_lose_none(users: SubgraphClient, register: Register) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    changes: list[dict[str, Any]] = [
        {"lastSeen": "NOBODY"},
        {"profilePhoto": "CONTACTS"},
        {"about": "NOBODY"},
        {"readReceipts": False},
    ]

    await asyncio.gather(*(users(UPDATE, {"input": change}, token=token) for change in changes))

    settings = (await users(SETTINGS, token=token)).ok()["privacySettings"]
    assert settings["lastSeen"] == "NOBODY"
    assert settings["profilePhoto"] == "CONTACTS"
    assert settings["about"] == "NOBODY"
    assert settings["readReceipts"] is False


async def test_a_change_is_told_once_and_no_change_not_at_all(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    first = await users(UPDATE, {"input": {"lastSeen": "NOBODY"}}, token=token)
    again = await users(UPDATE, {"input": {"lastSeen": "NOBODY"}}, token=token)
    nothing = await users(UPDATE, {"input": {}}, token=token)

    assert first.ok() == again.ok() == nothing.ok()
    events = await on_every_shard(
        users_shards, "SELECT payload::text FROM outbox WHERE type = 'user.privacy_changed'"
    )
    assert len(events) == 1
    assert '"lastSeen": "NOBODY"' in events[0]["payload"]


@pytest.mark.parametrize("entered", [{"about": "FRIENDS"}, {"about": 1}, {"readReceipts": "yes"}])
async def test_bad_settings_are_refused_and_change_nothing(
    users: SubgraphClient, register: Register, entered: dict[str, Any]
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    answer = await users(UPDATE, {"input": {"lastSeen": "NOBODY", **entered}}, token=token)

    assert answer.codes == ["BAD_USER_INPUT"]
    settings = (await users(SETTINGS, token=token)).ok()["privacySettings"]
    assert settings["lastSeen"] == "EVERYONE"


@pytest.mark.parametrize("bad", ["", "x", "../etc/passwd", "256-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f"])
async def test_an_avatar_must_be_an_id(users: SubgraphClient, register: Register, bad: str) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    answer = await users(PROFILE, {"input": {"bio": "new", "avatarMediaId": bad}}, token=token)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "avatarMediaId"
    assert (await users("{ me { bio } }", token=token)).ok() == {"me": {"bio": ""}}


async def test_null_removes_the_avatar_and_leaving_it_out_keeps_it(
    users: SubgraphClient, register: Register
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    avatar = {"id": str(new_id(9))}

    await users(PROFILE, {"input": {"avatarMediaId": avatar["id"]}}, token=token)
    kept = await users(PROFILE, {"input": {"bio": "new"}}, token=token)
    removed = await users(PROFILE, {"input": {"avatarMediaId": None}}, token=token)

    assert kept.ok()["updateProfile"] == {"bio": "new", "avatar": avatar}
    assert removed.ok()["updateProfile"] == {"bio": "new", "avatar": None}


async def test_settings_of_an_account_that_is_no_more_are_not_found(
    users: SubgraphClient, tokens: Tokens
) -> None:
    token = tokens.of(new_id(5))

    assert (await users(SETTINGS, token=token)).codes == ["NOT_FOUND"]
    assert (await users(UPDATE, {"input": {"about": "NOBODY"}}, token=token)).codes == ["NOT_FOUND"]
