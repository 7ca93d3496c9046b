from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.cache import connect_redis
from shared.limits import RateLimit, RateLimitedError, RateLimiter, RateSetting
from tests.support.redis import running_redis

LOGIN = RateLimit("login", 3, 60)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def make_limiter(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[], RateLimiter]]:
    """Makes limiters of one storage: in memory each has its own."""
    if request.param == "memory":
        yield RateLimiter.in_memory
        return
    async with running_redis() as url:
        client = connect_redis(url)
        yield lambda: RateLimiter.in_redis(client)
        await client.aclose()


async def _outcomes(limiter: RateLimiter, limit: RateLimit, keys: list[str]) -> list[bool]:
    async def hit(key: str) -> bool:
        try:
            await limiter.hit(limit, key)
        except RateLimitedError:
            return False
        return True

    return await asyncio.gather(*(hit(key) for key in keys))


async def test_more_than_the_limit_is_refused_and_told_when_to_come_again(
    make_limiter: Callable[[], RateLimiter],
) -> None:
    limiter = make_limiter()
    for _ in range(3):
        await limiter.hit(LOGIN, "ada")

    with pytest.raises(RateLimitedError) as refusal:
        await limiter.hit(LOGIN, "ada")

    assert refusal.value.extensions["code"] == "RATE_LIMITED"
    assert 1 <= refusal.value.retry_after <= 60
    assert refusal.value.extensions["retryAfter"] == refusal.value.retry_after


async def test_of_many_at_once_exactly_as_many_as_allowed_pass(
    make_limiter: Callable[[], RateLimiter],
) -> None:
    outcomes = await _outcomes(make_limiter(), LOGIN, ["ada"] * 20)

    assert outcomes.count(True) == 3


async def test_keys_and_limits_are_counted_apart(make_limiter: Callable[[], RateLimiter]) -> None:
    limiter = make_limiter()
    other = RateLimit("register", 3, 60)
    keys = ["ada", "bob", "ada/3", "", "x" * 10_000, "\ud800"]

    for limit in (LOGIN, other):
        assert all(await _outcomes(limiter, limit, keys * 3))


async def test_after_the_time_told_there_is_room_again(
    make_limiter: Callable[[], RateLimiter],
) -> None:
    limiter = make_limiter()
    short = RateLimit("short", 2, 1)
    await _outcomes(limiter, short, ["ada"] * 2)
    with pytest.raises(RateLimitedError) as refusal:
        await limiter.hit(short, "ada")

    await asyncio.sleep(refusal.value.retry_after)

    await limiter.hit(short, "ada")


async def test_off_and_unknown_keys_count_nothing() -> None:
    limiter = RateLimiter.in_memory()
    for _ in range(10):
        await limiter.hit(RateLimit.of("login", "off"), "ada")
        await limiter.hit(LOGIN, None)
    await limiter.hit(LOGIN, "ada")


@pytest.mark.redis
async def test_processes_on_one_redis_share_their_counters(redis_url: str) -> None:
    first, second = connect_redis(redis_url), connect_redis(redis_url)
    try:
        limiters = [RateLimiter.in_redis(first), RateLimiter.in_redis(second)]
        outcomes = [
            passed for limiter in limiters for passed in await _outcomes(limiter, LOGIN, ["a"] * 3)
        ]
        names = [str(name) for name in await first.keys("limits:*")]
    finally:
        await first.aclose()
        await second.aclose()

    assert outcomes == [True] * 3 + [False] * 3
    assert names
    assert all("/a/" not in name for name in names)


async def test_without_redis_everything_passes_and_it_is_asked_seldom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # takes connections and never answers
        client = connect_redis(f"redis://127.0.0.1:{port}/0")
        limiter = RateLimiter.in_redis(client)
        started = asyncio.get_running_loop().time()
        for _ in range(10):
            await limiter.hit(LOGIN, "ada")
        took = asyncio.get_running_loop().time() - started
        await client.aclose()

    assert took < 2  # one of them has waited


@pytest.mark.parametrize("text", ["", "0/60", "20", "20/0", "-1/60", "20/60s", "OFF", "1" * 20])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(RateSetting).validate_python(text)


def test_a_setting_is_read() -> None:
    assert RateLimit.of("login", "20/60") == RateLimit("login", 20, 60)
