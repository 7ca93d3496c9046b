"""Presence on two shards: signs of life, who sees them, and watching, with each kind of Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from shared.cache import InProcessRedis, RedisClient, connect_redis
from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.app import create_app
from subgraphs.users.service.presence import channel_of
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import REGISTER
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import (
    LiveClient,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    new_id,
    served,
    shard_entries,
)
from tests.support.waiting import until

HEARTBEAT = "mutation { heartbeat { userId isOnline lastSeen } }"
PRESENCE = "query ($ids: [ID!]!) { users(ids: $ids) { id presence { isOnline lastSeen } } }"
HIDE = """
mutation ($v: Visibility!) { updatePrivacySettings(input: {lastSeen: $v}) { lastSeen } }
"""
LOGIN = """
mutation { login(input: {email: "ada@example.com", password: "correct horse 1"}) { accessToken } }
"""
CHANGED = """
subscription ($ids: [ID!]!) { presenceChanged(userIds: $ids) { userId isOnline lastSeen } }
"""


@pytest.fixture(params=["in-process", pytest.param("server", marks=pytest.mark.redis)])
def server_url(request: pytest.FixtureRequest) -> str | None:
    """None, and the URL of a real server, in turn."""
    if request.param == "in-process":
        return None
    url: str = request.getfixturevalue("redis_url")
    return url


@pytest.fixture
async def redis(server_url: str | None) -> AsyncIterator[RedisClient]:
    """A Redis client, of the emulation and of a real server in turn."""
    client = InProcessRedis().client() if server_url is None else connect_redis(server_url)
    yield client
    await client.aclose()


@pytest.fixture
def settings(users_shards: tuple[ShardConfig, ...]) -> UsersSettings:
    return UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.DEVELOPMENT,
        presence_seconds=1,
    )


@pytest.fixture
async def address(
    settings: UsersSettings, tokens: Tokens, redis: RedisClient
) -> AsyncIterator[str]:
    """The subgraph behind a real server."""
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords(), redis=redis)
    async with served(app) as where:
        yield where


@pytest.fixture
async def users(address: str) -> AsyncIterator[SubgraphClient]:
    client = SubgraphClient(f"http://{address}")
    yield client
    await client.close()


@pytest.fixture
async def people(users: SubgraphClient) -> dict[str, dict[str, Any]]:
    """Ada and Bob: id and token."""
    found = {}
    for name in ("ada", "bob"):
        entered = {
            "email": f"{name}@example.com",
            "password": "correct horse 1",
            "handle": name,
            "displayName": name,
        }
        payload = (await users(REGISTER, {"input": entered})).ok()["register"]
        found[name] = {"id": payload["user"]["id"], "token": payload["accessToken"]}
    return found


async def _presence(
    users: SubgraphClient, people: dict[str, dict[str, Any]], of: str, to: str
) -> Any:
    answer = await users(PRESENCE, {"ids": [people[of]["id"]]}, token=people[to]["token"])
    return answer.ok()["users"][0]["presence"]


async def _hide(users: SubgraphClient, token: str, visibility: str) -> None:
    (await users(HIDE, {"v": visibility}, token=token)).ok()


async def _watched(redis: RedisClient, *ids: str) -> None:
    """Wait until somebody watches these users: a client is told nothing of it."""
    channels = [channel_of(EntityId.parse(user_id)) for user_id in ids]

    async def reached() -> bool:
        return all(count for _, count in await redis.pubsub_numsub(*channels))

    await until(reached)


async def test_a_heartbeat_makes_online_for_a_while(users: SubgraphClient, people: Any) -> None:
    before = await _presence(users, people, "ada", "bob")

    beat = (await users(HEARTBEAT, token=people["ada"]["token"])).ok()["heartbeat"]
    online = await _presence(users, people, "ada", "bob")

    async def gone() -> bool:
        return not (await _presence(users, people, "ada", "bob"))["isOnline"]

    await until(gone)
    after = await _presence(users, people, "ada", "bob")
    assert before == {"isOnline": False, "lastSeen": None}
    assert beat["isOnline"]
    assert online["isOnline"]
    assert after == {"isOnline": False, "lastSeen": online["lastSeen"]}


async def test_when_one_was_last_seen_outlives_redis(
    users: SubgraphClient, people: Any, redis: RedisClient, users_shards: Any
) -> None:
    (await users(HEARTBEAT, token=people["ada"]["token"])).ok()
    await redis.flushall()

    after = await _presence(users, people, "ada", "bob")

    assert not after["isOnline"]
    assert after["lastSeen"] is not None
    rows = await on_every_shard(
        users_shards, "SELECT handle FROM users WHERE last_seen_at IS NOT NULL"
    )
    assert [row["handle"] for row in rows] == ["ada"]


async def test_one_of_two_devices_is_enough(
    users: SubgraphClient, people: Any, redis: RedisClient
) -> None:
    other = (await users(LOGIN)).ok()["login"]["accessToken"]
    for token in (people["ada"]["token"], other):
        (await users(HEARTBEAT, token=token)).ok()

    (await users("mutation { logout }", token=other)).ok()

    async def one_is_left() -> bool:
        return await redis.zcard(f"presence:{people['ada']['id']}:devices") == 1

    await until(one_is_left)
    assert (await _presence(users, people, "ada", "bob"))["isOnline"]


async def test_who_signs_out_is_offline_at_once(
    users: SubgraphClient, people: Any, redis: RedisClient, address: str
) -> None:
    async with LiveClient.connected(address, token=people["bob"]["token"]) as client:
        await client.subscribe(CHANGED, {"ids": [people["ada"]["id"]]})
        (await users(HEARTBEAT, token=people["ada"]["token"])).ok()
        states = [(await client.next())["presenceChanged"]["isOnline"]]
        while not states[-1]:
            states.append((await client.next())["presenceChanged"]["isOnline"])

        (await users("mutation { logout }", token=people["ada"]["token"])).ok()

        assert not (await client.next())["presenceChanged"]["isOnline"]


async def test_hidden_presence_shows_to_oneself_only(users: SubgraphClient, people: Any) -> None:
    (await users(HEARTBEAT, token=people["ada"]["token"])).ok()
    await _hide(users, people["ada"]["token"], "NOBODY")

    assert await _presence(users, people, "ada", "bob") == {"isOnline": False, "lastSeen": None}
    assert (await _presence(users, people, "ada", "ada"))["isOnline"]


async def test_watchers_get_the_state_first_then_what_changes(
    users: SubgraphClient, people: Any, redis: RedisClient, address: str
) -> None:
    ids = [people["ada"]["id"], people["bob"]["id"], str(new_id(9))]
    async with LiveClient.connected(address, token=people["bob"]["token"]) as client:
        await client.subscribe(CHANGED, {"ids": [*ids, ids[0]]})
        first = [(await client.next())["presenceChanged"] for _ in ids]
        await _watched(redis, *ids)

        (await users(HEARTBEAT, token=people["ada"]["token"])).ok()
        online = (await client.next())["presenceChanged"]
        offline = (await client.next())["presenceChanged"]  # after a second without a heartbeat

    assert [(one["userId"], one["isOnline"]) for one in first] == [(one, False) for one in ids]
    assert (online["userId"], online["isOnline"]) == (ids[0], True)
    assert (offline["userId"], offline["isOnline"]) == (ids[0], False)
    assert offline["lastSeen"] is not None


async def test_hiding_ends_what_watchers_see(
    users: SubgraphClient, people: Any, redis: RedisClient, address: str
) -> None:
    (await users(HEARTBEAT, token=people["ada"]["token"])).ok()
    async with LiveClient.connected(address, token=people["bob"]["token"]) as client:
        await client.subscribe(CHANGED, {"ids": [people["ada"]["id"]]})
        assert (await client.next())["presenceChanged"]["isOnline"]

        await _hide(users, people["ada"]["token"], "NOBODY")

        hidden = (await client.next())["presenceChanged"]
        assert (hidden["isOnline"], hidden["lastSeen"]) == (False, None)


async def test_a_list_costs_one_statement_per_shard(users: SubgraphClient, people: Any) -> None:
    ids = [people["ada"]["id"], people["bob"]["id"]] * 10

    answer = await users(PRESENCE, {"ids": ids}, token=people["bob"]["token"])

    assert len(answer.ok()["users"]) == 20
    assert set(answer.statements.values()) == {1}


async def test_while_a_shard_is_down_the_others_are_watched(
    address: str, people: Any, clusters: Sequence[PostgresCluster]
) -> None:
    on_second, on_first = str(new_id(200)), str(new_id(9))
    await clusters[1].stop("immediate")
    try:
        async with LiveClient.connected(address, token=people["bob"]["token"]) as client:
            await client.subscribe(CHANGED, {"ids": [on_second, on_first]})
            first = (await client.next())["presenceChanged"]
            await clusters[1].start()
            second = (await client.next())["presenceChanged"]
    finally:
        await clusters[1].start()

    assert [first["userId"], second["userId"]] == [on_first, on_second]


async def test_whose_block_ends_is_seen_again(
    users: SubgraphClient, people: Any, address: str
) -> None:
    ada, bob = people["ada"], people["bob"]
    (await users(HEARTBEAT, token=ada["token"])).ok()
    async with LiveClient.connected(address, token=bob["token"]) as client:
        await client.subscribe(CHANGED, {"ids": [ada["id"]]})
        states = [(await client.next())["presenceChanged"]["isOnline"]]
        for mutation in ("blockUser", "unblockUser"):
            (await users(HEARTBEAT, token=ada["token"])).ok()
            change = f"mutation ($id: ID!) {{ {mutation}(userId: $id) {{ id }} }}"
            (await users(change, {"id": bob["id"]}, token=ada["token"])).ok()
            states.append((await client.next())["presenceChanged"]["isOnline"])

    assert states == [True, False, True]


@pytest.mark.redis
async def test_processes_hear_of_each_other(
    settings: UsersSettings, tokens: Tokens, redis_url: str
) -> None:
    async with AsyncExitStack() as stack:
        where = []
        for _ in range(2):
            redis = connect_redis(redis_url)
            stack.push_async_callback(redis.aclose)
            app = create_app(
                settings, issuer=tokens.issuer, passwords=cheap_passwords(), redis=redis
            )
            where.append(await stack.enter_async_context(served(app)))
        first, second = (SubgraphClient(f"http://{one}") for one in where)
        stack.push_async_callback(first.close)
        stack.push_async_callback(second.close)
        entered = {
            "email": "ada@example.com",
            "password": "correct horse 1",
            "handle": "ada",
            "displayName": "Ada",
        }
        ada = (await first(REGISTER, {"input": entered})).ok()["register"]
        client = await stack.enter_async_context(
            LiveClient.connected(where[1], token=tokens.of(new_id(200)))
        )
        await client.subscribe(CHANGED, {"ids": [ada["user"]["id"]]})
        assert not (await client.next())["presenceChanged"]["isOnline"]

        (await first(HEARTBEAT, token=ada["accessToken"])).ok()

        assert (await client.next())["presenceChanged"]["isOnline"]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["nonsense"], "BAD_USER_INPUT"),
        ([str(new_id(n)) for n in range(101)], "BAD_USER_INPUT"),
    ],
)
async def test_bad_ids_are_refused(address: str, people: Any, ids: list[str], code: str) -> None:
    async with LiveClient.connected(address, token=people["bob"]["token"]) as client:
        await client.subscribe(CHANGED, {"ids": ids})
        message = await client.receive()

    errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    assert errors[0]["extensions"]["code"] == code


async def test_without_redis_users_still_show(settings: UsersSettings, tokens: Tokens) -> None:
    redis = connect_redis("redis://127.0.0.1:1", timeout=0.2)
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords(), redis=redis)
    async with served(app) as where:
        users = SubgraphClient(f"http://{where}")
        entered = {
            "email": "ada@example.com",
            "password": "correct horse 1",
            "handle": "ada",
            "displayName": "Ada",
        }
        ada = (await users(REGISTER, {"input": entered})).ok()["register"]

        answer = await users(PRESENCE, {"ids": [ada["user"]["id"]]}, token=ada["accessToken"])
        beat = await users(HEARTBEAT, token=ada["accessToken"])
        await users.close()
    await redis.aclose()

    assert answer.data["users"][0]["presence"] == {"isOnline": False, "lastSeen": None}
    assert answer.errors[0]["path"] == ["users", 0, "presence"]
    assert answer.errors[0]["extensions"]["retryable"]
    assert beat.data is None
    assert beat.errors[0]["extensions"]["retryable"]
