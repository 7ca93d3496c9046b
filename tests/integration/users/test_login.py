from __future__ import annotations

import asyncio
from typing import Any

import pytest
from argon2 import PasswordHasher
from typing_extensions import override

from shared.auth import PasswordHashing
from shared.db.connect import connect
from shared.settings import Environment
from shared.sharding import ShardConfig
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import Register
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    Tokens,
    running,
    shard_entries,
)

LOGIN = """
mutation ($input: LoginInput!) {
  login(input: $input) { accessToken refreshToken expiresIn user { id email handle } }
}
"""


async def _login(users: SubgraphClient, email: str, password: str, **more: Any) -> Answer:
    return await users(LOGIN, {"input": {"email": email, "password": password}}, **more)


async def test_login_opens_another_session_of_the_same_user(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    registered = (await register("ada")).ok()["register"]

    payload = (await _login(users, " ADA@example.com".strip(), "correct horse 1")).ok()["login"]

    assert payload["user"]["id"] == registered["user"]["id"]
    assert payload["user"]["email"] == "ada@example.com"
    assert payload["refreshToken"] != registered["refreshToken"]
    viewer = await tokens.verifier().verify(payload["accessToken"])
    assert str(viewer.user_id) == registered["user"]["id"]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong password"),
        ("nobody@example.com", "correct horse 1"),
        ("no address", "correct horse 1"),
        ("a\x00da@example.com", "correct horse 1"),
        ("ada@example.com", ""),
    ],
)
async def test_every_wrong_login_gets_the_same_answer(
    users: SubgraphClient, register: Register, email: str, password: str
) -> None:
    await register("ada")

    answer = await _login(users, email, password)

    assert answer.data is None
    assert answer.codes == ["UNAUTHENTICATED"]
    assert answer.errors[0]["message"] == "The e-mail or the password is wrong."


async def test_an_expired_token_in_the_header_does_not_hinder_signing_in(
    users: SubgraphClient, register: Register
) -> None:
    await register("ada")

    answer = await _login(users, "ada@example.com", "correct horse 1", token="garbage")

    assert not answer.errors


async def test_an_unknown_email_costs_as_many_hashes_as_a_wrong_password(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens
) -> None:
    hasher = _CountingHasher()
    settings = UsersSettings(shards=shard_entries(users_shards), environment=Environment.TEST)
    app = create_app(settings, issuer=tokens.issuer, passwords=PasswordHashing(hasher))
    async with running(app) as users:
        entered = {"email": "ada@example.com", "password": "correct horse 1"}
        entered |= {"handle": "ada", "displayName": "Ada"}
        query = "mutation ($input: RegisterInput!) { register(input: $input) { expiresIn } }"
        (await users(query, {"input": entered})).ok()

        work = []
        for email in ("ada@example.com", "nobody@example.com", "no address"):
            hasher.verified = hasher.hashed = 0
            assert (await _login(users, email, "wrong password")).codes == ["UNAUTHENTICATED"]
            work.append((hasher.verified, hasher.hashed))

    assert work == [(1, 0)] * 3


async def test_a_hash_of_lesser_cost_is_replaced_at_login(
    users_shards: tuple[ShardConfig, ...], register: Register, tokens: Tokens
) -> None:
    await register("ada")
    before = await _stored_hash(users_shards)
    dearer = PasswordHashing(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    settings = UsersSettings(shards=shard_entries(users_shards), environment=Environment.TEST)

    async with running(create_app(settings, issuer=tokens.issuer, passwords=dearer)) as users:
        (await _login(users, "ada@example.com", "correct horse 1")).ok()
        after = await _stored_hash(users_shards)
        (await _login(users, "ada@example.com", "correct horse 1")).ok()

    assert "m=8,t=1" in before
    assert "m=16,t=2" in after
    assert await _stored_hash(users_shards) == after


async def test_scopes_that_an_operator_grants_are_in_the_token(
    users: SubgraphClient,
    register: Register,
    users_shards: tuple[ShardConfig, ...],
    tokens: Tokens,
) -> None:
    await register("ada")
    for shard in users_shards:
        connection = await connect(shard.primary, application_name="test")
        await connection.execute("UPDATE users SET scopes = '{users:admin}'")
        await connection.close()

    payload = (await _login(users, "ada@example.com", "correct horse 1")).ok()["login"]

    viewer = await tokens.verifier().verify(payload["accessToken"])
    assert viewer.scopes == {"users:admin"}


async def test_many_logins_at_once_all_succeed(users: SubgraphClient, register: Register) -> None:
    await register("ada")

    answers = await asyncio.gather(
        *(_login(users, "ada@example.com", "correct horse 1") for _ in range(20))
    )

    assert len({answer.ok()["login"]["refreshToken"] for answer in answers}) == 20


async def test_the_key_set_is_published_and_verifies_the_tokens(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    response = await users.get("/.well-known/jwks.json")

    (key,) = response.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key
    assert key["kid"] == tokens.issuer.public_keys[0].kid


async def _stored_hash(shards: tuple[ShardConfig, ...]) -> str:
    found: list[str] = []
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        found += [row["password_hash"] for row in await connection.fetch("TABLE users")]
        await connection.close()
    (stored,) = found
    return stored


class _CountingHasher(PasswordHasher):
    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0
        self.hashed = 0

    @override
    def verify(self, hash: str | bytes, password: str | bytes) -> Any:
        self.verified += 1
        return super().verify(hash, password)

    @override
    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.hashed += 1
        return super().hash(password, salt=salt)
