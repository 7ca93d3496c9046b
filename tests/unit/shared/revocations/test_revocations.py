from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.auth import TokenRevokedError, Viewer
from shared.cache import RedisClient, connect_redis
from shared.events import Delivery, Event
from shared.graphql import Authenticator
from shared.revocations import (
    REVOCATION_STREAM,
    RevocationConsumer,
    RevocationFeed,
    RevokedSessions,
)
from shared.sharding import EntityId
from tests.support.redis import running_redis
from tests.support.subgraphs import Tokens, new_id
from tests.support.waiting import until


def _ended(*sessions: EntityId, type: str = "user.sessions_ended") -> Delivery:  # noqa: A002
    event = Event(
        id=uuid4(),
        type=type,
        version=1,
        occurred_at=datetime.now(UTC),
        slot=0,
        payload={"userId": str(new_id(0)), "sessionIds": [str(one) for one in sessions]},
    )
    return Delivery(key="x", event=event)


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[RedisClient]:
    client = connect_redis(url)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def _reading(client: RedisClient, revoked: RevokedSessions) -> AsyncIterator[None]:
    feed = RevocationFeed(client, revoked, slots=256)
    await feed.start()
    try:
        yield
    finally:
        await feed.stop()


async def _knows(revoked: RevokedSessions, session: EntityId) -> None:
    async def known() -> bool:
        return session in revoked

    await until(known)


def test_a_session_is_forgotten_once_no_token_of_it_can_be_left() -> None:
    now = 1000.0
    revoked = RevokedSessions(remember=60, clock=lambda: now)
    sessions = [new_id(number) for number in range(5)]
    for session in sessions:
        revoked.add(session)
        revoked.add(session)
    assert all(session in revoked for session in sessions)
    assert None not in revoked

    now = 1061.0
    for number in range(5, 8):
        revoked.add(new_id(number))

    assert len(revoked) == 3


async def test_a_viewer_whose_session_has_ended_is_one_no_more() -> None:
    tokens, revoked = Tokens(), RevokedSessions(remember=60)
    authenticator = Authenticator(tokens.verifier(), revoked)
    session, other = new_id(0), new_id(0)
    issued = [
        tokens.issuer.issue(user_id=new_id(0), session_id=one) for one in (session, other, None)
    ]

    revoked.add(session)

    viewers = [await authenticator.authenticate(f"Bearer {one.text}") for one in issued]
    for viewer, refused in zip(viewers, (True, False, False), strict=True):
        assert isinstance(viewer, Viewer)
        if not refused:
            authenticator.require_current(viewer)
            continue
        with pytest.raises(TokenRevokedError) as refusal:
            authenticator.require_current(viewer)
        assert refusal.value.extensions["code"] == "TOKEN_INVALID"


async def test_without_redis_the_own_process_knows() -> None:
    revoked = RevokedSessions(remember=60)
    consumer, session = RevocationConsumer(revoked, None, slots=256), new_id(9)

    await consumer.consume(_ended(new_id(8), type="user.updated"))
    await consumer.consume(_ended(session))
    await consumer.consume(_ended(session))

    assert len(revoked) == 1
    assert session in revoked


@pytest.mark.redis
async def test_other_processes_hear_of_it_also_those_that_start_later(redis_url: str) -> None:
    here, there, later = (RevokedSessions(remember=60) for _ in range(3))
    sessions = [new_id(number) for number in range(3)]
    async with _client(redis_url) as sending, _client(redis_url) as receiving:
        consumer = RevocationConsumer(here, sending, slots=256)
        async with _reading(receiving, there):
            await consumer.consume(_ended(*sessions[:2]))
            await _knows(there, sessions[1])
            await sending.xadd(REVOCATION_STREAM, {"sid": "no id", "sub": "somebody"})
            await consumer.consume(_ended(sessions[2]))
            await _knows(there, sessions[2])
        async with _reading(receiving, later):
            assert all(session in later for session in sessions)

    assert len(there) == len(later) == len(here) == 3


@pytest.mark.redis
async def test_what_was_revoked_before_tokens_live_is_not_read_again(redis_url: str) -> None:
    revoked = RevokedSessions(remember=0.001)
    async with _client(redis_url) as client:
        await client.xadd(REVOCATION_STREAM, {"sid": str(new_id(1))}, id="1000-0")
        async with _reading(client, revoked):
            assert len(revoked) == 0


async def test_a_process_starts_without_redis() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"  # takes connections, says nothing
        async with _client(url) as client, asyncio.timeout(10):
            feed = RevocationFeed(client, RevokedSessions(remember=60), slots=256)
            await feed.start(wait=0.1)
            await feed.stop()


@pytest.mark.redis
async def test_a_feed_goes_on_where_it_was_when_redis_comes_back() -> None:
    revoked, session = RevokedSessions(remember=60), new_id(4)
    async with AsyncExitStack() as redis:
        url = await redis.enter_async_context(running_redis())
        async with _client(url) as client, _reading(client, revoked):
            await client.client_kill_filter(_type="normal", skipme=True)
            await RevocationConsumer(RevokedSessions(remember=60), client, slots=256).consume(
                _ended(session)
            )
            await _knows(revoked, session)


@pytest.mark.redis
async def test_the_stream_does_not_grow_without_end(redis_url: str) -> None:
    revoked = RevokedSessions(remember=60)
    async with _client(redis_url) as client:
        async with client.pipeline(transaction=False) as pipeline:
            for number in range(1, 1001):
                pipeline.xadd(REVOCATION_STREAM, {"sid": str(new_id(1))}, id=f"{number}-0")  # type: ignore[unused-awaitable]  # queued
            await pipeline.execute()
        await RevocationConsumer(revoked, client, slots=256).consume(_ended(new_id(2)))
        assert await client.xlen(REVOCATION_STREAM) < 200
