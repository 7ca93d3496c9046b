"""Token buckets: their arithmetic, in memory and in a real Redis, and what happens without it."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence

import pytest
from prometheus_client import CollectorRegistry, Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.rates.buckets import BucketStore, Draw, Rate, Verdict
from router.server.limits.rates.fallback import FallbackStore
from router.server.limits.rates.memory import MemoryStore
from router.server.limits.rates.redis_store import RedisStore
from router.server.settings import WithoutRedis
from tests.support.redis import running_redis

HOURLY = Rate("hourly", 10, 3600)  # so slow that nothing is regained while a test runs
OTHER = Rate("other", 3, 3600)


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def store(request: pytest.FixtureRequest) -> AsyncGenerator[BucketStore, None]:
    if request.param == "memory":
        yield MemoryStore(100)
        return
    async with running_redis() as url:
        redis = RedisStore(url, timeout=5.0)
        yield redis
        await redis.aclose()


async def _take(store: BucketStore, *draws: Draw) -> bool:
    return (await store.take(draws)).granted


async def test_a_bucket_gives_what_it_holds_and_no_more(store: BucketStore) -> None:
    taken = [await _take(store, Draw(HOURLY, "a")) for _ in range(12)]

    assert taken == [True] * 10 + [False] * 2
    assert await _take(store, Draw(HOURLY, "b"))


async def test_amounts_are_taken_whole(store: BucketStore) -> None:
    assert await _take(store, Draw(HOURLY, "a", 7))
    assert not await _take(store, Draw(HOURLY, "a", 4))
    assert await _take(store, Draw(HOURLY, "a", 3))
    assert not await _take(store, Draw(HOURLY, "a", 1))
    assert await _take(store, Draw(HOURLY, "a", 0))


async def test_more_than_a_bucket_needs_a_full_one(store: BucketStore) -> None:
    assert await _take(store, Draw(HOURLY, "a", 1000))
    assert not await _take(store, Draw(HOURLY, "a", 1))
    assert await _take(store, Draw(HOURLY, "b", 1))
    assert not await _take(store, Draw(HOURLY, "b", 1000))


async def test_where_one_bucket_refuses_none_is_touched(store: BucketStore) -> None:
    both = (Draw(HOURLY, "a"), Draw(OTHER, "a"))

    taken = [await _take(store, *both) for _ in range(5)]

    assert taken == [True] * 3 + [False] * 2
    left = [await _take(store, Draw(HOURLY, "a")) for _ in range(8)]
    assert left == [True] * 7 + [False]


async def test_requests_at_once_do_not_share_a_token(store: BucketStore) -> None:
    taken = await asyncio.gather(*(_take(store, Draw(HOURLY, "a")) for _ in range(40)))

    assert sum(taken) == 10


async def test_a_verdict_says_what_is_left_and_when_to_come_again(store: BucketStore) -> None:
    draws = [Draw(HOURLY, "a", 4), Draw(OTHER, "a", 1)]

    verdict = await store.take(draws)
    assert verdict.standings(draws) == '"hourly";r=6;t=1440, "other";r=2;t=1200'
    draws = [Draw(HOURLY, "a", 8)]
    verdict = await store.take(draws)
    assert not verdict.granted
    assert verdict.standings(draws).startswith('"hourly";r=6;t=14')
    assert 718 <= verdict.wait(draws) <= 720  # two tokens are lacking, one comes every 360 s


@pytest.mark.redis
async def test_redis_forgets_buckets_that_are_full_again() -> None:
    async with running_redis() as url, Redis.from_url(url) as redis:
        store = RedisStore(url, timeout=5.0)

        await store.take([Draw(HOURLY, "a", 5), Draw(Rate("other", 1, 1), "a", 0)])

        assert await redis.keys() == [b"router:rate:hourly:a"]
        assert 1_700_000 < await redis.pttl("router:rate:hourly:a") <= 1_800_000
        await store.aclose()


async def test_tokens_come_back_with_time() -> None:
    clock = Clock()
    store = MemoryStore(100, clock)
    draw = Draw(Rate("r", 10, 60), "a")
    assert [await _take(store, draw) for _ in range(11)] == [True] * 10 + [False]

    clock.now += 5.9
    assert not await _take(store, draw)
    clock.now += 0.1
    assert await _take(store, draw)
    clock.now += 1000
    assert [await _take(store, draw) for _ in range(11)] == [True] * 10 + [False]


async def test_memory_forgets_the_buckets_that_were_used_longest_ago() -> None:
    store = MemoryStore(3, Clock())
    for key in ("a", "b", "a", "c", "d"):
        await store.take([Draw(HOURLY, key, 6)])

    assert len(store) == 3
    assert not await _take(store, Draw(HOURLY, "a", 5))
    assert await _take(store, Draw(HOURLY, "b", 5))


class BrokenStore:
    """Redis that is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.works = False

    async def take(self, draws: Sequence[Draw]) -> Verdict:
        self.asked += 1
        if self.works:
            return Verdict(True, tuple(0.0 for _ in draws))
        raise ConnectionRefusedError("refused")

    async def aclose(self) -> None:
        pass


def _failures() -> Counter:
    return Counter("failures", "", registry=CollectorRegistry())


async def test_without_redis_requests_are_limited_here_if_that_is_wanted() -> None:
    store = FallbackStore(BrokenStore(), MemoryStore(100), WithoutRedis.LOCAL, _failures(), Clock())

    taken = [await _take(store, Draw(OTHER, "a")) for _ in range(4)]

    assert taken == [True] * 3 + [False]


async def test_without_redis_requests_pass_if_that_is_wanted() -> None:
    store = FallbackStore(BrokenStore(), MemoryStore(100), WithoutRedis.OPEN, _failures(), Clock())

    assert all([await _take(store, Draw(OTHER, "a")) for _ in range(9)])


async def test_without_redis_requests_are_refused_if_that_is_wanted() -> None:
    store = FallbackStore(
        BrokenStore(), MemoryStore(100), WithoutRedis.CLOSED, _failures(), Clock()
    )

    with pytest.raises(RequestError) as caught:
        await store.take([Draw(OTHER, "a")])

    assert caught.value.code == RequestErrorCode.RATE_LIMIT_UNAVAILABLE
    assert caught.value.status == 503


async def test_redis_is_left_alone_for_a_while_after_a_failure() -> None:
    broken, clock, failures = BrokenStore(), Clock(), _failures()
    store = FallbackStore(broken, MemoryStore(100), WithoutRedis.OPEN, failures, clock)

    for _ in range(5):
        await store.take([Draw(OTHER, "a")])
    assert broken.asked == 1
    broken.works = True
    clock.now += 1
    for _ in range(5):
        await store.take([Draw(OTHER, "a")])

    assert broken.asked == 6
    [metric] = failures.collect()
    assert metric.samples[0].value == 1


async def test_redis_that_does_not_answer_fails_within_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout=0.05)
        with pytest.raises((OSError, RedisError)):
            await _take(store, Draw(OTHER, "a"))
        await store.aclose()
