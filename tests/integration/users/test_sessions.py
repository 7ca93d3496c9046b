"""Sessions: refreshing, tokens that are shown again, listing, ending, forgetting."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, TypeAlias

import orjson
import pytest

from shared.db.connect import connect
from shared.limits import RateLimiter
from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig, Shards, ShardSettings, SlotWalk, Topology
from subgraphs.users.app import create_app
from subgraphs.users.repository import SessionRepository, UserRepository
from subgraphs.users.service import AccountLimits, SessionPolicy, SessionService
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import Register, rows_of
from tests.integration.users.test_login import LOGIN
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    new_id,
    running,
    shard_entries,
)

Payload: TypeAlias = dict[str, Any]

REFRESH = """
mutation ($token: String!) {
  refreshSession(refreshToken: $token) { accessToken refreshToken expiresIn user { id email } }
}
"""
SESSIONS = "{ sessions { id createdAt lastUsedAt userAgent ip isCurrent } }"
LOGOUT = "mutation { logout }"
EVERYWHERE = "mutation { logoutEverywhere }"
REVOKE = "mutation ($id: ID!) { revokeSession(id: $id) }"


@pytest.fixture
async def patient(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens
) -> AsyncIterator[SubgraphClient]:
    """The subgraph with a long grace: tests of it do not depend on the machine's speed."""
    async with running(_app(users_shards, tokens, refresh_grace_seconds=3600)) as client:
        yield client


@pytest.fixture
async def strict(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens
) -> AsyncIterator[SubgraphClient]:
    """The subgraph without a grace."""
    async with running(_app(users_shards, tokens, refresh_grace_seconds=0)) as client:
        yield client


def _app(shards: tuple[ShardConfig, ...], tokens: Tokens, **settings: Any) -> Any:
    chosen = UsersSettings(
        shards=shard_entries(shards),
        environment=Environment.DEVELOPMENT,
        limit_refresh_session="off",
        **settings,
    )
    return create_app(chosen, issuer=tokens.issuer, passwords=cheap_passwords())


async def _refresh(users: SubgraphClient, refresh_token: str, **more: Any) -> Answer:
    return await users(REFRESH, {"token": refresh_token}, **more)


async def _login(users: SubgraphClient, name: str) -> Payload:
    entered = {"email": f"{name}@example.com", "password": "correct horse 1"}
    payload: Payload = (await users(LOGIN, {"input": entered})).ok()["login"]
    return payload


def _session_of(payload: Payload) -> str:
    identifier: str = payload["refreshToken"].partition(".")[0]
    return identifier


async def _events(shards: tuple[ShardConfig, ...]) -> list[list[str]]:
    """The sessions that were announced as ended, event by event."""
    rows = [row for row in await rows_of(shards, "outbox") if row["type"] == "user.sessions_ended"]
    return [sorted(orjson.loads(row["payload"])["sessionIds"]) for row in rows]


async def _prune_all(shards: tuple[ShardConfig, ...]) -> None:
    """What the job does in one round."""
    topology = Topology.initial(shards)
    settings = ShardSettings(domain="users", application_name="test", pool_size=2)
    async with Shards(topology, settings) as opened:
        sessions = SessionService(
            opened,
            SessionRepository(),
            UserRepository(),
            Tokens().issuer,
            RateLimiter.in_memory(),
            AccountLimits(),
            SessionPolicy(),
        )
        await SlotWalk("test", opened, sessions.prune).walk()


async def _change(shards: tuple[ShardConfig, ...], statement: str, *values: object) -> None:
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        await connection.execute(statement, *values)
        await connection.close()


async def test_refreshing_gives_new_tokens_of_the_same_session(
    strict: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    first = (await register("ada")).ok()["register"]

    answer = await _refresh(strict, first["refreshToken"])
    second = answer.ok()["refreshSession"]
    third = (await _refresh(strict, second["refreshToken"])).ok()["refreshSession"]

    assert len({payload["refreshToken"] for payload in (first, second, third)}) == 3
    assert {_session_of(payload) for payload in (first, second, third)} == {_session_of(first)}
    viewer = await tokens.verifier().verify(third["accessToken"])
    assert str(viewer.session_id) == _session_of(first)
    assert str(viewer.user_id) == first["user"]["id"]
    assert second["user"]["email"] == "ada@example.com"
    assert answer.extensions["sql"]["statements"] == 4


async def test_a_stale_access_token_in_the_header_does_not_hinder_refreshing(
    strict: SubgraphClient, register: Register
) -> None:
    first = (await register("ada")).ok()["register"]

    assert (await _refresh(strict, first["refreshToken"], token="garbage")).ok()


async def test_a_reused_token_ends_the_session_for_thief_and_owner(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]
    other = await _login(strict, "ada")
    second = (await _refresh(strict, first["refreshToken"])).ok()["refreshSession"]
    third = (await _refresh(strict, second["refreshToken"])).ok()["refreshSession"]

    stolen = await _refresh(strict, first["refreshToken"])

    assert stolen.codes == ["TOKEN_INVALID"]
    assert "used before" in stolen.errors[0]["message"]
    for payload in (first, second, third):
        assert (await _refresh(strict, payload["refreshToken"])).codes == ["TOKEN_INVALID"]
    assert await _events(users_shards) == [[_session_of(first)]]
    assert (await _refresh(strict, other["refreshToken"])).ok()


async def test_the_last_exchange_is_answered_again_for_a_while(
    patient: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]
    second = (await _refresh(patient, first["refreshToken"])).ok()["refreshSession"]

    again = (await _refresh(patient, first["refreshToken"])).ok()["refreshSession"]

    assert again["refreshToken"] == second["refreshToken"]
    (await _refresh(patient, again["refreshToken"])).ok()
    # now it is no longer the one used last: somebody has it who should not
    assert (await _refresh(patient, first["refreshToken"])).codes == ["TOKEN_INVALID"]
    assert await _events(users_shards) == [[_session_of(first)]]


async def test_parallel_refreshes_of_one_token_get_the_same_successor(
    patient: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]

    answers = await asyncio.gather(*(_refresh(patient, first["refreshToken"]) for _ in range(10)))

    successors = {answer.ok()["refreshSession"]["refreshToken"] for answer in answers}
    assert len(successors) == 1
    assert (await _refresh(patient, successors.pop())).ok()
    assert len(await rows_of(users_shards, "used_refresh_tokens")) == 2


async def test_parallel_refreshes_without_a_grace_end_the_session_once(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]

    answers = await asyncio.gather(*(_refresh(strict, first["refreshToken"]) for _ in range(5)))

    assert sorted(str(answer.codes) for answer in answers) == ["['TOKEN_INVALID']"] * 4 + ["[]"]
    assert await _events(users_shards) == [[_session_of(first)]]


async def test_a_forged_token_that_names_a_session_ends_nothing(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]
    forged = base64.urlsafe_b64encode(b"x" * 32).rstrip(b"=").decode()

    for token in (f"{_session_of(first)}.{forged}", f"{new_id(3)}.{forged}"):
        assert (await _refresh(strict, token)).codes == ["TOKEN_INVALID"]

    assert await _events(users_shards) == []
    assert (await _refresh(strict, first["refreshToken"])).ok()


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "x" * 1_000_000,
        "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f",
        "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f." + "A" * 42,
        "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f." + "A" * 44,
        "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f." + "é" * 43,
        "256-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f." + "A" * 43,
        "0-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f.\x00" + "A" * 42,
    ],
    ids=lambda token: token[:40],
)
async def test_what_is_no_refresh_token_costs_no_statement(
    users: SubgraphClient, token: str
) -> None:
    answer = await _refresh(users, token)

    assert answer.codes == ["TOKEN_INVALID"]
    assert answer.extensions["sql"]["statements"] == 0


async def test_a_session_expires_unless_it_is_refreshed(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]
    (before,) = await rows_of(users_shards, "sessions")
    second = (await _refresh(strict, first["refreshToken"])).ok()["refreshSession"]
    (after,) = await rows_of(users_shards, "sessions")
    await _change(users_shards, "UPDATE sessions SET expires_at = now()")

    late = await _refresh(strict, second["refreshToken"])
    listed = await strict(SESSIONS, token=second["accessToken"])

    assert after["expires_at"] > before["expires_at"]
    assert after["expires_at"] - after["last_used_at"] == timedelta(days=30)
    assert late.codes == ["TOKEN_EXPIRED"]
    assert listed.ok()["sessions"] == []
    assert await _events(users_shards) == []


async def test_a_deactivated_user_cannot_refresh(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]
    await _change(users_shards, "UPDATE users SET status = 'DEACTIVATED'")

    assert (await _refresh(strict, first["refreshToken"])).codes == ["TOKEN_INVALID"]

    await _change(users_shards, "UPDATE users SET status = 'ACTIVE'")
    assert (await _refresh(strict, first["refreshToken"])).ok()


async def test_refreshes_of_a_session_are_limited(
    users_shards: tuple[ShardConfig, ...], register: Register, tokens: Tokens
) -> None:
    first = (await register("ada")).ok()["register"]
    settings = UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.TEST,
        limit_refresh_session="2/600",
    )
    token = first["refreshToken"]
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())
    async with running(app) as users:
        for _ in range(2):
            token = (await _refresh(users, token)).ok()["refreshSession"]["refreshToken"]
        assert (await _refresh(users, token)).codes == ["RATE_LIMITED"]


async def test_sessions_are_listed_with_where_they_were_used_last(
    strict: SubgraphClient, register: Register
) -> None:
    first = (await register("ada")).ok()["register"]
    await register("bob")
    second = await _login(strict, "ada")
    headers = {"x-client-address": "203.0.113.9", "user-agent": "app/1"}
    first = (await _refresh(strict, first["refreshToken"], headers=headers)).ok()["refreshSession"]
    nothing = {"user-agent": ""}  # what was known stays
    first = (await _refresh(strict, first["refreshToken"], headers=nothing)).ok()["refreshSession"]

    answer = await strict(SESSIONS, token=second["accessToken"])

    listed = answer.ok()["sessions"]
    assert [one["id"] for one in listed] == [_session_of(first), _session_of(second)]
    assert [one["isCurrent"] for one in listed] == [False, True]
    assert (listed[0]["ip"], listed[0]["userAgent"]) == ("203.0.113.9", "app/1")
    assert listed[0]["createdAt"] < listed[1]["createdAt"] < listed[0]["lastUsedAt"]
    assert sum(answer.statements.values()) == 1


async def test_logging_out_ends_this_session_alone(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    first = (await register("ada")).ok()["register"]
    second = await _login(strict, "ada")

    assert (await strict(LOGOUT, token=first["accessToken"])).ok() == {"logout": True}

    assert (await _refresh(strict, first["refreshToken"])).codes == ["TOKEN_INVALID"]
    assert (await _refresh(strict, second["refreshToken"])).ok()
    assert await _events(users_shards) == [[_session_of(first)]]


async def test_logging_out_everywhere_ends_all_ones_sessions_and_no_others(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    payloads = [(await register("ada")).ok()["register"], await _login(strict, "ada")]
    payloads.append(await _login(strict, "ada"))
    bob = (await register("bob")).ok()["register"]

    counted = (await strict(EVERYWHERE, token=payloads[0]["accessToken"])).ok()

    assert counted == {"logoutEverywhere": 3}
    assert await _events(users_shards) == [sorted(map(_session_of, payloads))]
    assert (await _refresh(strict, bob["refreshToken"])).ok()
    for payload in payloads:
        assert (await _refresh(strict, payload["refreshToken"])).codes == ["TOKEN_INVALID"]


async def test_a_token_without_a_session_has_nothing_to_log_out_of(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    user = (await register("ada")).ok()["register"]["user"]

    answer = await users(LOGOUT, token=tokens.of(EntityId.parse(user["id"])))

    assert answer.ok() == {"logout": False}


async def test_only_ones_own_open_session_can_be_revoked_and_once(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    ada = (await register("ada")).ok()["register"]
    other = await _login(strict, "ada")
    bob = (await register("bob")).ok()["register"]
    token = ada["accessToken"]

    for id_ in (_session_of(bob), str(new_id(3)), ada["user"]["id"]):
        assert (await strict(REVOKE, {"id": id_}, token=token)).codes == ["NOT_FOUND"]
    malformed = await strict(REVOKE, {"id": "x"}, token=token)
    racing = await asyncio.gather(
        *(strict(REVOKE, {"id": _session_of(other)}, token=token) for _ in range(5))
    )

    assert malformed.codes == ["BAD_USER_INPUT"]
    assert malformed.extensions["sql"]["statements"] == 0
    assert sorted(str(answer.codes) for answer in racing) == ["['NOT_FOUND']"] * 4 + ["[]"]
    assert await _events(users_shards) == [[_session_of(other)]]
    assert (await _refresh(strict, bob["refreshToken"])).ok()
    assert (await _refresh(strict, ada["refreshToken"])).ok()


@pytest.mark.parametrize("operation", [SESSIONS, LOGOUT, EVERYWHERE])
async def test_sessions_are_for_who_is_signed_in(users: SubgraphClient, operation: str) -> None:
    assert (await users(operation)).codes == ["UNAUTHENTICATED"]
    revoked = await users(REVOKE, {"id": "x"})
    assert revoked.codes == ["UNAUTHENTICATED"]


async def test_what_is_long_over_is_forgotten(
    strict: SubgraphClient, register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    names = ("ada", "bob", "eve")
    payloads = {name: (await register(name)).ok()["register"] for name in names}
    for name in names:
        (await _refresh(strict, payloads[name]["refreshToken"])).ok()
    ended, kept = (EntityId.parse(_session_of(payloads[name])).uuid for name in ("ada", "eve"))
    await _change(
        users_shards,
        "UPDATE sessions SET expires_at = now() - interval '2 days',"
        " revoked_at = CASE WHEN id = $1 THEN now() END WHERE id <> $2",
        ended,
        kept,
    )

    await _prune_all(users_shards)

    (session,) = await rows_of(users_shards, "sessions")
    (used,) = await rows_of(users_shards, "used_refresh_tokens")
    assert session["id"] == used["session_id"] == kept

    await _change(users_shards, "UPDATE used_refresh_tokens SET used_at = now() - interval '31d'")
    await _prune_all(users_shards)
    assert await rows_of(users_shards, "used_refresh_tokens") == []
    assert len(await rows_of(users_shards, "sessions")) == 1
