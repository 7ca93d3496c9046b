"""Devices: registering, listing and removing one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.app import create_app
from subgraphs.users.service.devices import MAX_DEVICES
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import Register, rows_of
from tests.support.shard_rows import count_rows, on_every_shard
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    new_id,
    running,
    shard_entries,
)

TOKEN = "a-push-token"
DEVICES = "{ devices { id platform createdAt } }"
REGISTER_DEVICE = """
mutation ($token: String!, $platform: DevicePlatform!) {
  registerDevice(token: $token, platform: $platform) { id platform createdAt }
}
"""
REMOVE = "mutation ($id: ID!) { removeDevice(id: $id) }"


async def _register_device(
    users: SubgraphClient, who: str | None, token: str = TOKEN, platform: str = "IOS"
) -> Answer:
    return await users(REGISTER_DEVICE, {"token": token, "platform": platform}, token=who)


async def _events(shards: tuple[ShardConfig, ...]) -> list[tuple[str, dict[str, Any]]]:
    """What was told of devices, in the order in which it happened."""
    found = await on_every_shard(
        shards,
        "SELECT type, payload::text, recorded_at FROM outbox WHERE type LIKE 'device.%'",
    )
    found.sort(key=lambda row: row["recorded_at"])
    return [(row["type"], orjson.loads(row["payload"])) for row in found]


async def _access(register: Register, name: str) -> str:
    access_token: str = (await register(name)).ok()["register"]["accessToken"]
    return access_token


async def test_devices_are_listed_newest_first_and_to_nobody_else(
    users: SubgraphClient, register: Register
) -> None:
    ada, bob = await _access(register, "ada"), await _access(register, "bob")

    first = (await _register_device(users, ada, "token-1", "IOS")).ok()["registerDevice"]
    second = (await _register_device(users, ada, "token-2", "WEB")).ok()["registerDevice"]
    listed = await users(DEVICES, token=ada)

    assert listed.ok()["devices"] == [second, first]
    assert listed.extensions["sql"]["statements"] == 1
    assert [first["platform"], second["platform"]] == ["IOS", "WEB"]
    assert (await users(DEVICES, token=bob)).ok()["devices"] == []


async def test_a_device_lives_with_its_user_and_is_told_with_its_token(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    payload = (await register("ada")).ok()["register"]
    user_id = payload["user"]["id"]

    answer = await _register_device(users, payload["accessToken"])

    device = answer.ok()["registerDevice"]
    assert EntityId.parse(device["id"]).slot == EntityId.parse(user_id).slot
    assert await _events(users_shards) == [
        (
            "device.registered",
            {"deviceId": device["id"], "userId": user_id, "platform": "IOS", "token": TOKEN},
        )
    ]
    # find; then lock the user, list, insert, tell
    assert answer.extensions["sql"]["statements"] == 5
    assert len(answer.statements) == 1


async def test_the_same_token_again_is_the_same_device_and_writes_nothing(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = await _access(register, "ada")
    first = await _register_device(users, ada)

    again = await _register_device(users, ada)

    assert again.ok() == first.ok()
    assert again.extensions["sql"]["statements"] == 2
    assert await count_rows(users_shards, "devices") == 1
    assert len(await _events(users_shards)) == 1


async def test_another_platform_corrects_the_device(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = await _access(register, "ada")
    first = (await _register_device(users, ada, platform="WEB")).ok()["registerDevice"]

    corrected = (await _register_device(users, ada, platform="ANDROID")).ok()["registerDevice"]

    assert corrected == first | {"platform": "ANDROID"}
    assert (await users(DEVICES, token=ada)).ok()["devices"] == [corrected]
    told = [payload["platform"] for _, payload in await _events(users_shards)]
    assert told == ["WEB", "ANDROID"]


async def test_many_same_requests_at_once_make_one_device(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = await _access(register, "ada")

    answers = await asyncio.gather(*(_register_device(users, ada) for _ in range(8)))

    assert len({answer.ok()["registerDevice"]["id"] for answer in answers}) == 1
    assert await count_rows(users_shards, "devices") == 1
    assert [kind for kind, _ in await _events(users_shards)] == ["device.registered"]


async def test_one_device_too_many_takes_the_place_of_the_oldest(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = await _access(register, "ada")
    ids = [
        (await _register_device(users, ada, f"token-{number}")).ok()["registerDevice"]["id"]
        for number in range(MAX_DEVICES + 1)
    ]

    listed = (await users(DEVICES, token=ada)).ok()["devices"]

    assert [device["id"] for device in listed] == ids[:0:-1]
    removed = [p["deviceId"] for kind, p in await _events(users_shards) if kind == "device.removed"]
    assert removed == [ids[0]]


async def test_more_at_once_than_allowed_leave_as_many_as_allowed(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = await _access(register, "ada")
    for number in range(MAX_DEVICES - 1):
        (await _register_device(users, ada, f"token-{number}")).ok()

    await asyncio.gather(*(_register_device(users, ada, f"more-{number}") for number in range(6)))

    assert await count_rows(users_shards, "devices") == MAX_DEVICES


async def test_a_removed_device_is_gone_and_told_once(
    users: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = await _access(register, "ada")
    device = (await _register_device(users, ada)).ok()["registerDevice"]

    answers = await asyncio.gather(
        *(users(REMOVE, {"id": device["id"]}, token=ada) for _ in range(3))
    )

    assert sorted(answer.codes for answer in answers) == [[], ["NOT_FOUND"], ["NOT_FOUND"]]
    done = next(answer for answer in answers if not answer.errors)
    assert done.ok() == {"removeDevice": True}
    assert done.extensions["sql"]["statements"] == 2
    assert (await users(DEVICES, token=ada)).ok()["devices"] == []
    assert [kind for kind, _ in await _events(users_shards)] == [
        "device.registered",
        "device.removed",
    ]


async def test_a_token_of_a_removed_device_can_be_registered_again(
    users: SubgraphClient, register: Register
) -> None:
    ada = await _access(register, "ada")
    first = (await _register_device(users, ada)).ok()["registerDevice"]
    (await users(REMOVE, {"id": first["id"]}, token=ada)).ok()

    second = (await _register_device(users, ada)).ok()["registerDevice"]

    assert second["id"] != first["id"]
    assert (await users(DEVICES, token=ada)).ok()["devices"] == [second]


async def test_nobody_removes_what_is_not_theirs(
    users: SubgraphClient,
    register: Register,
    tokens: Tokens,
    users_shards: tuple[ShardConfig, ...],
) -> None:
    ada = (await register("ada")).ok()["register"]
    device = (await _register_device(users, ada["accessToken"])).ok()["registerDevice"]
    slot = EntityId.parse(device["id"]).slot
    neighbour, stranger = tokens.of(new_id(slot)), tokens.of(new_id(slot + 128))
    before = await rows_of(users_shards, "devices")

    codes = [
        (await users(REMOVE, {"id": device["id"]}, token=neighbour)).codes,
        (await users(REMOVE, {"id": device["id"]}, token=stranger)).codes,
        (await users(REMOVE, {"id": str(new_id(slot))}, token=ada["accessToken"])).codes,
        (await users(REMOVE, {"id": ada["user"]["id"]}, token=ada["accessToken"])).codes,
        (await users(REMOVE, {"id": device["id"]})).codes,
        (await _register_device(users, None)).codes,
        (await users(DEVICES)).codes,
    ]

    assert codes == [["NOT_FOUND"]] * 4 + [["UNAUTHENTICATED"]] * 3
    assert await rows_of(users_shards, "devices") == before


@pytest.mark.parametrize("bad", ["", "x", "256-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", "1' OR '1'='1"])
async def test_a_malformed_id_is_refused_without_a_statement(
    users: SubgraphClient, tokens: Tokens, bad: str
) -> None:
    answer = await users(REMOVE, {"id": bad}, token=tokens.of(new_id(1)))

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "id"
    assert answer.extensions["sql"]["statements"] == 0


@pytest.mark.parametrize("bad", ["", " ", "a b", "token\n", "a\x00b", "töken", "x" * 4097, "🙂"])
async def test_what_cannot_be_a_push_token_is_refused_without_a_statement(
    users: SubgraphClient, tokens: Tokens, bad: str
) -> None:
    answer = await _register_device(users, tokens.of(new_id(1)), bad)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "token"
    assert answer.extensions["sql"]["statements"] == 0


async def test_the_longest_token_is_taken(users: SubgraphClient, register: Register) -> None:
    ada = await _access(register, "ada")

    first = await _register_device(users, ada, "x" * 4096)
    again = await _register_device(users, ada, "x" * 4096)

    assert first.ok() == again.ok()


async def test_an_unknown_platform_is_refused(users: SubgraphClient, tokens: Tokens) -> None:
    answer = await _register_device(users, tokens.of(new_id(1)), platform="TOASTER")

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_an_account_that_is_not_in_use_gets_no_device(
    users: SubgraphClient,
    register: Register,
    tokens: Tokens,
    users_shards: tuple[ShardConfig, ...],
) -> None:
    ada = await _access(register, "ada")
    await on_every_shard(users_shards, "UPDATE users SET status = 'DEACTIVATED'")

    deactivated = await _register_device(users, ada)
    unknown = await _register_device(users, tokens.of(new_id(1)))

    assert deactivated.codes == unknown.codes == ["UNAUTHENTICATED"]
    assert await count_rows(users_shards, "devices") == 0
    assert await _events(users_shards) == []


async def test_registering_is_limited_by_user(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens, register: Register
) -> None:
    ada, bob = await _access(register, "ada"), await _access(register, "bob")
    settings = UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.TEST,
        limit_device_user="2/3600",
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())

    async with running(app) as limited:
        answers = [await _register_device(limited, ada, f"token-{n}") for n in range(3)]
        other = await _register_device(limited, bob)

    assert [answer.codes for answer in answers] == [[], [], ["RATE_LIMITED"]]
    assert answers[2].errors[0]["extensions"]["retryAfter"] > 0
    assert other.codes == []


async def test_a_shard_that_is_down_costs_its_users_only(
    users: SubgraphClient, tokens: Tokens, clusters: Sequence[PostgresCluster], register: Register
) -> None:
    ada = await _access(register, "ada")
    user_id = (await tokens.verifier().verify(ada)).user_id
    assert user_id is not None
    theirs = 0 if user_id.slot < 128 else 1

    await clusters[1 - theirs].stop("immediate")
    try:
        served = await _register_device(users, ada)
        stranger = tokens.of(new_id(user_id.slot + 128))
        refused = [
            await _register_device(users, stranger),
            await users(DEVICES, token=stranger),
            await users(REMOVE, {"id": str(new_id(user_id.slot + 128))}, token=stranger),
        ]
    finally:
        await clusters[1 - theirs].start()

    assert served.ok()["registerDevice"]["platform"] == "IOS"
    assert [answer.codes for answer in refused] == [["SHARD_UNAVAILABLE"]] * 3
