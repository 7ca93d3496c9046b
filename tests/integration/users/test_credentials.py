from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.sharding import EntityId, ShardConfig, slot_for
from tests.integration.users.conftest import Register, rows_of
from tests.support.subgraphs import Answer, SubgraphClient, Tokens

Shards = tuple[ShardConfig, ...]
PASSWORD = "correct horse 1"
LINK = """
mutation ($email: String!, $password: String!) {
  linkEmail(email: $email, password: $password) { id email }
}
"""
CHANGE = """
mutation ($current: String!, $new: String!) {
  changePassword(currentPassword: $current, newPassword: $new)
}
"""
LOGIN = """
mutation ($input: LoginInput!) { login(input: $input) { accessToken user { id } } }
"""


async def _phone_user(users: SubgraphClient, number: str = "+4930901820") -> Any:
    request = f'mutation {{ requestOtp(phone: "{number}") {{ devCode }} }}'
    code = (await users(request)).ok()["requestOtp"]["devCode"]
    verify = f"""
    mutation {{ verifyOtp(phone: "{number}", code: "{code}") {{ accessToken user {{ id }} }} }}
    """
    return (await users(verify)).ok()["verifyOtp"]


async def _login(users: SubgraphClient, email: str, password: str) -> Answer:
    return await users(LOGIN, {"input": {"email": email, "password": password}})


async def _link(users: SubgraphClient, token: str, email: str, password: str = PASSWORD) -> Answer:
    return await users(LINK, {"email": email, "password": password}, token=token)


async def _change(users: SubgraphClient, token: str, current: str, new: str) -> Answer:
    return await users(CHANGE, {"current": current, "new": new}, token=token)


async def test_a_phone_user_links_an_email_and_signs_in_with_it(users: SubgraphClient) -> None:
    payload = await _phone_user(users)

    linked = await _link(users, payload["accessToken"], "Ada@Example.com")
    again = await _link(users, payload["accessToken"], "ada@example.com")

    expected = {"id": payload["user"]["id"], "email": "ada@example.com"}
    assert linked.ok()["linkEmail"] == again.ok()["linkEmail"] == expected
    signed_in = (await _login(users, "ada@example.com", PASSWORD)).ok()["login"]
    assert signed_in["user"]["id"] == payload["user"]["id"]


async def test_an_account_with_an_email_does_not_get_another_by_its_token(
    users: SubgraphClient, register: Register
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    other = await _link(users, token, "thief@example.com")
    same = await _link(users, token, "ada@example.com", "another password")

    assert other.codes == same.codes == ["CONFLICT"]
    assert other.errors[0]["extensions"]["field"] == "email"
    assert (await _login(users, "thief@example.com", PASSWORD)).codes == ["UNAUTHENTICATED"]
    assert (await _login(users, "ada@example.com", "another password")).codes == ["UNAUTHENTICATED"]


async def test_an_email_of_somebody_else_is_not_linked(
    users: SubgraphClient, register: Register
) -> None:
    await register("ada")
    token = (await _phone_user(users))["accessToken"]

    answer = await _link(users, token, "ada@example.com")

    assert answer.codes == ["CONFLICT"]
    assert (await users("{ me { email } }", token=token)).ok()["me"]["email"] is None


async def test_two_accounts_that_want_one_email_at_once_do_not_both_get_it(
    users: SubgraphClient, register: Register, users_shards: Shards
) -> None:
    first = await _phone_user(users)
    second = await _phone_user(users, "+4930901821")
    tokens = [first["accessToken"], second["accessToken"]] * 3

    answers, newcomer = await asyncio.gather(
        asyncio.gather(*(_link(users, token, "wanted@example.com") for token in tokens)),
        register("newcomer", email="wanted@example.com"),
    )

    assert {code for answer in answers for code in answer.codes} <= {"CONFLICT"}
    rows = await rows_of(users_shards, "users")
    holders = [row for row in rows if row["email"] == "wanted@example.com"]
    assert len(holders) == 1
    winners = {answer.data["linkEmail"]["id"] for answer in answers if not answer.errors}
    assert len(winners) + (not newcomer.errors) == 1
    (identity,) = (
        row for row in await rows_of(users_shards, "identities") if row["kind"] == "email"
    )
    assert (identity["owner_id"], identity["state"]) == (holders[0]["id"], "confirmed")
    assert identity["slot"] == slot_for("wanted@example.com")


async def test_a_changed_password_ends_the_other_sessions(
    users: SubgraphClient, register: Register, tokens: Tokens, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    await _login(users, "ada@example.com", PASSWORD)
    await register("bob")

    changed = await _change(users, ada["accessToken"], PASSWORD, "another password")

    assert changed.ok() == {"changePassword": True}
    assert (await _login(users, "ada@example.com", PASSWORD)).codes == ["UNAUTHENTICATED"]
    (await _login(users, "ada@example.com", "another password")).ok()
    own = (await tokens.verifier().verify(ada["accessToken"])).session_id
    assert own is not None
    ada_id = EntityId.parse(ada["user"]["id"]).uuid
    revoked = {
        (row["user_id"] == ada_id, row["id"] == own.uuid, row["revoked_at"] is not None)
        for row in await rows_of(users_shards, "sessions")
    }
    # the caller's own and the new one stay, the other one of hers ends, Bob's is not touched
    assert revoked == {
        (True, True, False),
        (True, False, True),
        (True, False, False),
        (False, False, False),
    }


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("wrong password", "another password", "FORBIDDEN", "currentPassword"),
        ("", "another password", "FORBIDDEN", "currentPassword"),
        ("x" * 1_000_000, "another password", "FORBIDDEN", "currentPassword"),
        (PASSWORD, "short", "BAD_USER_INPUT", "newPassword"),
        (PASSWORD, "password123", "BAD_USER_INPUT", "newPassword"),
        (PASSWORD, "x" * 257, "BAD_USER_INPUT", "newPassword"),
        (PASSWORD, "\ufdfa" * 333_000, "BAD_USER_INPUT", "newPassword"),
    ],
)
async def test_a_refused_change_of_password_changes_nothing(
    users: SubgraphClient,
    register: Register,
    users_shards: Shards,
    current: str,
    new: str,
    code: str,
    field: str,
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    (before,) = await rows_of(users_shards, "users")

    answer = await _change(users, token, current, new)

    assert answer.codes == [code]
    assert answer.errors[0]["extensions"]["field"] == field
    (after,) = await rows_of(users_shards, "users")
    assert after == before
    assert all(row["revoked_at"] is None for row in await rows_of(users_shards, "sessions"))


async def test_of_two_changes_of_a_password_at_once_one_counts(
    users: SubgraphClient, register: Register
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    wanted = [f"another password {n}" for n in range(5)]

    answers = await asyncio.gather(*(_change(users, token, PASSWORD, new) for new in wanted))

    (winner,) = (n for n, answer in enumerate(answers) if not answer.errors)
    assert {code for answer in answers for code in answer.codes} == {"FORBIDDEN"}
    (await _login(users, "ada@example.com", wanted[winner])).ok()


async def test_who_has_no_password_cannot_change_it(users: SubgraphClient) -> None:
    token = (await _phone_user(users))["accessToken"]

    assert (await _change(users, token, "", "another password")).codes == ["FORBIDDEN"]


async def test_passwords_of_an_account_are_not_tried_without_end(
    users: SubgraphClient, register: Register
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]

    answers = [await _change(users, token, f"guess {n}", "another password") for n in range(21)]

    assert [answer.codes[0] for answer in answers] == ["FORBIDDEN"] * 20 + ["RATE_LIMITED"]


@pytest.mark.parametrize(
    "operation",
    [
        'linkEmail(email: "a@example.com", password: "correct horse 1") { id }',
        'changePassword(currentPassword: "a", newPassword: "correct horse 2")',
        "deactivateAccount",
        "deleteAccount",
    ],
)
async def test_what_changes_an_account_needs_a_signed_in_user(
    users: SubgraphClient, tokens: Tokens, operation: str
) -> None:
    anonymous = await users(f"mutation {{ {operation} }}")
    machine = await users(f"mutation {{ {operation} }}", token=tokens.of(None))

    assert anonymous.codes == machine.codes == ["UNAUTHENTICATED"]
