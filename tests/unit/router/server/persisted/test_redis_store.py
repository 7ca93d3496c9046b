"""The store that workers share, on an emulated Redis and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from router.server.persisted.redis_store import RedisStore
from tests.support.redis import emulated_redis


@pytest.fixture
async def url() -> AsyncIterator[str]:
    with emulated_redis() as url:
        yield url


async def test_keeps_texts_for_a_while(url: str) -> None:
    outcomes: list[str] = []
    one = RedisStore(url, ttl=100, timeout=5.0, count=outcomes.append)
    other = RedisStore(url, ttl=100, timeout=5.0, count=outcomes.append)

    await one.put("ab", "{ ä }")
    found = await other.get("ab")
    async with Redis.from_url(url) as client:
        seconds = await client.ttl("router:apq:ab")
    missing = await other.get("cd")
    await one.aclose()
    await other.aclose()

    assert (found, missing) == ("{ ä }", None)
    assert 0 < seconds <= 100
    assert outcomes == []


async def test_what_is_no_text_is_not_there(url: str) -> None:
    outcomes: list[str] = []
    store = RedisStore(url, ttl=100, timeout=5.0, count=outcomes.append)
    async with Redis.from_url(url) as client:
        await client.set("router:apq:ab", b"\xff")

    assert await store.get("ab") is None
    assert outcomes == ["store_error"]
    await store.aclose()


async def test_redis_that_is_down_is_left_alone_for_a_while() -> None:
    outcomes: list[str] = []
    store = RedisStore("redis://127.0.0.1:1/0", ttl=100, timeout=5.0, count=outcomes.append)

    assert await store.get("ab") is None
    assert await store.get("ab") is None
    await store.put("ab", "{ a }")

    assert outcomes == ["store_error"]
    await store.aclose()


async def test_redis_that_does_not_answer_is_not_waited_for() -> None:
    hung_up = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        hung_up.set()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    outcomes: list[str] = []
    store = RedisStore(f"redis://127.0.0.1:{port}/0", ttl=9, timeout=0.05, count=outcomes.append)

    async with asyncio.timeout(5):
        assert await store.get("ab") is None

    assert outcomes == ["store_error"]
    await store.aclose()
    await hung_up.wait()
    silent.close()
