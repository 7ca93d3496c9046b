from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.db.connect import connect
from shared.sharding import EntityId, ShardConfig, slot_for
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.users.conftest import Register
from tests.support.subgraphs import SubgraphClient, Tokens


async def _rows(shards: tuple[ShardConfig, ...], query: str) -> list[Any]:
    found: list[Any] = []
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        try:
            found += await connection.fetch(query)
        finally:
            await connection.close()
    return found


async def test_a_new_user_is_signed_in_and_sees_the_private_fields(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    answer = await register("ada", email="Ada.Lovelace@Example.COM", handle="Ada_L")

    payload = answer.ok()["register"]
    user = payload["user"]
    assert user["email"] == "ada.lovelace@example.com"
    assert (user["handle"], user["displayName"], user["bio"]) == ("ada_l", "Ada", "")
    assert user["status"] == "ACTIVE"
    assert payload["expiresIn"] == 900
    viewer = await tokens.verifier().verify(payload["accessToken"])
    assert str(viewer.user_id) == user["id"]
    assert payload["refreshToken"].startswith(f"{viewer.session_id}.")
    me = await users("{ me { id email } }", token=payload["accessToken"])
    assert me.ok() == {"me": {"id": user["id"], "email": "ada.lovelace@example.com"}}


async def test_a_user_lives_on_the_slot_of_the_email(register: Register) -> None:
    user = (await register("grace")).ok()["register"]["user"]

    assert EntityId.parse(user["id"]).slot == slot_for("grace@example.com")
    assert user["createdAt"].endswith("Z")
    assert len(user["createdAt"]) == len("2026-01-31T12:00:00.000000Z")
    datetime.fromisoformat(user["createdAt"])


async def test_registration_writes_one_event_and_stores_no_token(
    register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    payload = (await register("linus")).ok()["register"]

    events = await _rows(users_shards, "SELECT type, key, actor, payload::text FROM outbox")
    assert [(row["type"], row["key"]) for row in events] == [
        ("user.registered", payload["user"]["id"])
    ]
    assert "linus@example.com" not in events[0]["payload"]
    (session,) = await _rows(users_shards, "SELECT refresh_token_hash AS hash FROM sessions")
    assert len(session["hash"]) == 32
    (stored,) = await _rows(users_shards, "SELECT password_hash AS hash FROM users")
    assert stored["hash"].startswith("$argon2id$")


async def test_twelve_at_once_for_one_email_give_one_user(
    register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    answers = await asyncio.gather(
        *(register(f"racer_{number}", email="wanted@example.com") for number in range(12))
    )

    winners = [answer for answer in answers if not answer.errors]
    assert len(winners) == 1
    for answer in answers:
        if answer.errors:
            assert answer.codes == ["CONFLICT"]
            assert answer.errors[0]["extensions"]["field"] == "email"
    assert len(await _rows(users_shards, "SELECT 1 FROM users")) == 1
    handle = winners[0].data["register"]["user"]["handle"]
    left = await _rows(users_shards, "SELECT kind, value, state FROM identities ORDER BY kind")
    assert sorted(map(tuple, left)) == [
        ("email", "wanted@example.com", "confirmed"),
        ("handle", handle, "confirmed"),
    ]


async def test_twelve_at_once_for_one_handle_give_one_user(
    register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    answers = await asyncio.gather(
        *(
            register(f"racer_{number}", handle="wanted", email=f"r{number}@example.com")
            for number in range(12)
        )
    )

    assert sum(not answer.errors for answer in answers) == 1
    assert {
        (answer.codes[0], answer.errors[0]["extensions"]["field"])
        for answer in answers
        if answer.errors
    } == {("CONFLICT", "handle")}
    # who did not get the handle has not kept the e-mail either
    assert len(await _rows(users_shards, "SELECT 1 FROM identities")) == 2
    loser = next(number for number, answer in enumerate(answers) if answer.errors)
    again = await register("other", email=f"r{loser}@example.com")
    assert not again.errors


async def test_a_repeated_request_gives_the_same_user(
    register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    request = str(uuid4())
    first = (await register("mary", clientRequestId=request)).ok()["register"]
    second = (await register("mary", clientRequestId=request)).ok()["register"]

    assert second["user"] == first["user"]
    assert second["refreshToken"] != first["refreshToken"]
    assert len(await _rows(users_shards, "SELECT 1 FROM users")) == 1
    assert len(await _rows(users_shards, "SELECT 1 FROM outbox")) == 1


async def test_the_same_request_many_times_at_once_gives_one_user(
    register: Register, users_shards: tuple[ShardConfig, ...]
) -> None:
    request = str(uuid4())

    answers = await asyncio.gather(*(register("mary", clientRequestId=request) for _ in range(12)))

    assert len({answer.ok()["register"]["user"]["id"] for answer in answers}) == 1
    assert len(await _rows(users_shards, "SELECT 1 FROM users")) == 1
    assert len(await _rows(users_shards, "SELECT 1 FROM outbox")) == 1


async def test_a_registration_cut_short_by_an_outage_is_finished_by_its_repetition(
    register: Register,
    users_shards: tuple[ShardConfig, ...],
    clusters: Sequence[PostgresCluster],
) -> None:
    email = next(e for e in _emails() if slot_for(e) < 128)
    handle = next(h for h in _handles() if slot_for(h) >= 128)
    entered = {"email": email, "handle": handle, "clientRequestId": str(uuid4())}

    await clusters[1].stop("immediate")
    try:
        cut_short = await register("mary", **entered)
    finally:
        await clusters[1].start()
    stranger = await register("mary", email=email, handle="someone_else")
    repeated = await register("mary", **entered)

    assert cut_short.codes == ["SHARD_UNAVAILABLE"]
    assert stranger.codes == ["CONFLICT"]
    user = repeated.ok()["register"]["user"]
    assert (user["email"], user["handle"]) == (email, handle)
    assert len(await _rows(users_shards, "SELECT 1 FROM users")) == 1


def _emails() -> Iterator[str]:
    return (f"mary_{number}@example.com" for number in itertools.count())


def _handles() -> Iterator[str]:
    return (f"mary_{number}" for number in itertools.count())


async def test_a_request_id_alone_is_no_key_to_an_account(register: Register) -> None:
    request = str(uuid4())
    await register("mary", clientRequestId=request)

    stolen = await register("mary", clientRequestId=request, password="not hers at all")

    assert stolen.codes == ["CONFLICT"]
    assert stolen.errors[0]["extensions"]["field"] == "email"
    assert stolen.data is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "a@localhost"),
        ("email", "a\x00b@example.com"),
        ("email", "a" * 300 + "@example.com"),
        ("handle", "ab"),
        ("handle", "x" * 31),
        ("handle", "with space"),
        ("handle", "ádá"),
        ("handle", "abc\x00"),
        ("handle", "unavailable"),
        ("displayName", "   "),
        ("displayName", "x" * 51),
        ("displayName", "a\x00b"),
        ("displayName", "two\nlines"),
        ("displayName", "\u202eevil"),
        ("password", "short"),
        ("password", "password123"),
        ("password", "x" * 257),
        ("clientRequestId", "not-a-uuid"),
    ],
)
async def test_bad_input_is_refused_by_field_and_changes_nothing(
    register: Register, users_shards: tuple[ShardConfig, ...], field: str, value: str
) -> None:
    answer = await register("someone", **{field: value})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    assert answer.extensions["sql"] == {"statements": 0, "shards": {}}
    assert await _rows(users_shards, "SELECT 1 FROM users") == []


async def test_unicode_names_are_kept_in_composed_form(register: Register) -> None:
    answer = await register("jose", displayName="  Jose\u0301 👩‍👩‍👧 ")

    assert answer.ok()["register"]["user"]["displayName"] == "José 👩‍👩‍👧"
