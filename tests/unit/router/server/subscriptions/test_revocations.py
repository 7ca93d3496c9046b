"""Revocations in a Redis stream: every reader hears of each, also of those it has missed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

from router.server.access.identity import Identity
from router.server.settings import RouterSettings
from router.server.subscriptions.ending import EndReason
from router.server.subscriptions.revocations import RevocationReader
from router.server.subscriptions.session import Session, Sessions
from router.server.telemetry import Metrics
from tests.support.waiting import until

STREAM = "revoked"
DAY = 86_400.0


class Router:
    """What of a router process has to do with revocations."""

    def __init__(self, url: str, *, remember: float = DAY) -> None:
        self.sessions = Sessions(remember=remember)
        self.metrics = Metrics(max_operation_labels=1)
        self.reader = RevocationReader(url, STREAM, self.sessions, self.metrics, remember=remember)
        self.ended: asyncio.Queue[EndReason] = asyncio.Queue()

    def open(self, **claims: str) -> None:
        self.sessions.hold(Session(ids=frozenset(claims.items())), self.ended.put_nowait)

    def refuses(self, **claims: str) -> bool:
        return self.sessions.is_revoked(Identity(subject=claims.get("sub"), claims=claims))

    def count(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name)

    async def end(self) -> str:
        async with asyncio.timeout(10):
            return (await self.ended.get()).code


@asynccontextmanager
async def started(url: str, **options: Any) -> AsyncGenerator[Router, None]:
    router = Router(url, **options)
    await router.reader.start(wait=10)
    try:
        yield router
    finally:
        await router.reader.aclose()


@pytest.mark.redis
@pytest.mark.parametrize("protocol", ["2", "3"])
async def test_every_router_ends_what_is_revoked_and_lets_it_open_nothing_more(
    redis_url: str, protocol: str
) -> None:
    url = f"{redis_url}?protocol={protocol}"
    async with started(url) as one, started(url) as other, Redis.from_url(redis_url) as redis:
        one.open(sid="s1", sub="ada")
        other.open(sid="s1")
        other.open(sid="s2")

        await redis.xadd(STREAM, {"sid": "s1"})

        assert await one.end() == await other.end() == "SUBSCRIPTION_SESSION_REVOKED"
        assert one.refuses(sid="s1")
        assert not one.refuses(sid="s2")
        assert not one.refuses(sub="s1")
        assert other.ended.empty()
        assert one.count("router_revocations_total") == 1


@pytest.mark.redis
async def test_who_starts_later_knows_what_was_revoked_but_not_what_is_too_old(
    redis_url: str,
) -> None:
    now = int(time.time() * 1000)
    async with Redis.from_url(redis_url) as redis:
        await redis.xadd(STREAM, {"jti": "old"}, id=f"{now - 7_200_000}-0")
        for number in range(2_500):  # more than one batch
            await redis.xadd(STREAM, {"jti": f"t{number}"}, id=f"{now - 1_000}-{number + 1}")

        async with started(redis_url, remember=3_600.0) as router:
            assert all(router.refuses(jti=f"t{number}") for number in range(2_500))
            assert not router.refuses(jti="old")


@pytest.mark.redis
async def test_old_entries_are_removed_from_the_stream(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        for number in range(1, 1_001):  # an approximate trim removes whole nodes of the stream
            await redis.xadd(STREAM, {"jti": "old"}, id=f"{number}-0")

        async with started(redis_url):
            assert await redis.xlen(STREAM) == 0


@pytest.mark.redis
async def test_what_came_while_redis_was_away_is_read_afterwards(redis_url: str) -> None:
    async with started(redis_url) as router, Redis.from_url(redis_url) as redis:
        router.open(sub="ada")

        async def is_waiting() -> bool:
            return any(client["cmd"] == "xread" for client in await redis.client_list())

        await until(is_waiting)
        async with redis.pipeline(transaction=True) as together:
            together.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            together.execute_command("XADD", STREAM, "*", "sub", "ada")
            await together.execute()

        assert await router.end() == "SUBSCRIPTION_SESSION_REVOKED"
        assert router.count("router_revocation_failures_total") == 1


@pytest.mark.redis
async def test_entries_that_are_no_revocations_are_passed_over(redis_url: str) -> None:
    async with started(redis_url) as router, Redis.from_url(redis_url) as redis:
        router.open(sid="s1")

        await redis.xadd(STREAM, {"email": "ada@example.org"})
        await redis.xadd(STREAM, {b"\xff": b"\xfe"})
        await redis.xadd(STREAM, {"name": "x", "sid": "s1"})

        assert await router.end() == "SUBSCRIPTION_SESSION_REVOKED"
        assert router.count("router_revocations_total") == 1


async def test_a_router_starts_without_redis_and_counts_that_it_is_not_there() -> None:
    router = Router("redis://127.0.0.1:1/0")
    await router.reader.start(wait=0.01)

    async def has_failed() -> bool:
        return bool(router.count("router_revocation_failures_total"))

    await until(has_failed)
    await router.reader.aclose()

    assert not router.refuses(sid="s1")


def test_revocations_need_issuers_of_tokens() -> None:
    with pytest.raises(ValidationError, match="revocation_redis_url needs jwt_issuers"):
        RouterSettings(revocation_redis_url="redis://127.0.0.1")
