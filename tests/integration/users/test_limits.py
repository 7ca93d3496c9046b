"""Limits of what anybody may do, and what sessions remember of the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.auth import CLIENT_ADDRESS_HEADER
from shared.settings import Environment
from shared.sharding import ShardConfig
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import REGISTER, rows_of
from tests.integration.users.test_login import LOGIN
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    running,
    shard_entries,
)


@pytest.fixture
async def users(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens
) -> AsyncIterator[SubgraphClient]:
    """The subgraph with small limits."""
    settings = UsersSettings(
        shards=shard_entries(users_shards),
        environment=Environment.TEST,
        limit_register_address="3/3600",
        limit_register_email="2/3600",
        limit_login_address="3/3600",
        limit_login_email="2/3600",
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())
    async with running(app) as client:
        yield client


def _from(address: str) -> dict[str, str]:
    return {CLIENT_ADDRESS_HEADER: address, "user-agent": "app/1"}


async def _register(users: SubgraphClient, name: str, address: str) -> Answer:
    entered = {
        "email": f"{name}@example.com",
        "password": "correct horse 1",
        "handle": name,
        "displayName": name.title(),
    }
    return await users(REGISTER, {"input": entered}, headers=_from(address))


async def _login(users: SubgraphClient, email: str, address: str) -> Answer:
    entered = {"email": email, "password": "wrong password"}
    return await users(LOGIN, {"input": entered}, headers=_from(address))


def _codes(answers: list[Answer]) -> list[str | None]:
    return [answer.codes[0] if answer.codes else None for answer in answers]


async def test_an_address_may_register_so_often_and_what_is_refused_writes_nothing(
    users: SubgraphClient, users_shards: tuple[ShardConfig, ...]
) -> None:
    answers = await asyncio.gather(
        *(_register(users, f"user_{number}", "203.0.113.9") for number in range(6))
    )
    elsewhere = await _register(users, "somebody", "203.0.113.10")

    assert sorted(str(code) for code in _codes(answers)) == ["None"] * 3 + ["RATE_LIMITED"] * 3
    refusal = next(answer for answer in answers if answer.errors).errors[0]["extensions"]
    assert 1 <= refusal["retryAfter"] <= 3600
    assert elsewhere.ok()
    assert len(await rows_of(users_shards, "users")) == 4
    assert len(await rows_of(users_shards, "identities")) == 8


async def test_addresses_of_one_ipv6_network_are_one(users: SubgraphClient) -> None:
    answers = [
        await _register(users, f"user_{number}", f"2001:db8::{number}") for number in range(4)
    ]

    assert _codes(answers) == [None, None, None, "RATE_LIMITED"]


async def test_an_email_may_be_tried_so_often_from_wherever_and_whether_it_exists_or_not(
    users: SubgraphClient,
) -> None:
    await _register(users, "ada", "203.0.113.9")

    for email, other in (("ada@example.com", " ADA@Example.com"), ("no@example.com",) * 2):
        answers = [
            await _login(users, (email, other)[number % 2], f"203.0.113.{number}")
            for number in range(3)
        ]
        assert _codes(answers) == ["UNAUTHENTICATED", "UNAUTHENTICATED", "RATE_LIMITED"]


async def test_an_address_may_try_so_many_accounts(users: SubgraphClient) -> None:
    answers = [await _login(users, f"{number}@example.com", "203.0.113.9") for number in range(4)]

    assert _codes(answers) == ["UNAUTHENTICATED"] * 3 + ["RATE_LIMITED"]


async def test_an_email_may_be_registered_so_often(users: SubgraphClient) -> None:
    answers = [await _register(users, "ada", f"203.0.113.{number}") for number in range(3)]

    assert _codes(answers) == [None, "CONFLICT", "RATE_LIMITED"]


async def test_a_session_remembers_where_it_was_opened(
    users: SubgraphClient, users_shards: tuple[ShardConfig, ...]
) -> None:
    await _register(users, "ada", "2001:DB8::1")
    entered = {"email": "ada@example.com", "password": "correct horse 1"}
    await users(LOGIN, {"input": entered}, headers={"user-agent": "x" * 1000})

    found: list[Any] = await rows_of(users_shards, "sessions")
    assert {(row["ip"], row["user_agent"]) for row in found} == {
        ("2001:db8::1", "app/1"),
        (None, "x" * 256),
    }
