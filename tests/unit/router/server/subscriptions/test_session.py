"""Sessions end what holds them: at expiry, and when they are revoked."""

import asyncio

from router.server.subscriptions.ending import SESSION_REVOKED, TOKEN_EXPIRED, EndReason
from router.server.subscriptions.session import Session, Sessions


async def test_an_anonymous_client_holds_nothing() -> None:
    assert Sessions().hold(Session(), lambda reason: None) is None


async def test_a_holder_is_told_when_the_token_expires() -> None:
    told: asyncio.Queue[EndReason] = asyncio.Queue()
    now = asyncio.get_running_loop().time()

    Sessions().hold(Session(expires_at=now + 0.01), told.put_nowait)

    assert await asyncio.wait_for(told.get(), 5) is TOKEN_EXPIRED


async def test_a_token_that_has_expired_already_ends_at_once() -> None:
    told: asyncio.Queue[EndReason] = asyncio.Queue()

    Sessions().hold(Session(expires_at=0.0), told.put_nowait)

    assert await asyncio.wait_for(told.get(), 5) is TOKEN_EXPIRED


async def test_revoking_any_id_ends_every_holder_once() -> None:
    sessions, told = Sessions(), list[tuple[str, EndReason]]()
    for name, ids in (("a", {"s1", "u1"}), ("b", {"s2", "u1"}), ("c", {"s3", "u2"})):
        session = Session(ids=frozenset(ids))
        sessions.hold(session, lambda reason, name=name: told.append((name, reason)))  # type: ignore[misc]

    assert sessions.revoke("s1") == 1
    assert sessions.revoke("u1") == 1
    assert sessions.revoke("u1") == 0
    assert sessions.revoke("unknown") == 0

    assert told == [("a", SESSION_REVOKED), ("b", SESSION_REVOKED)]


async def test_who_has_released_a_session_hears_nothing() -> None:
    sessions, told = Sessions(), list[EndReason]()
    expires_at = asyncio.get_running_loop().time() + 0.01
    hold = sessions.hold(Session(ids=frozenset({"s"}), expires_at=expires_at), told.append)
    assert hold is not None

    hold.release()
    hold.release()

    assert sessions.revoke("s") == 0
    await asyncio.sleep(0.02)  # past the expiry, of which nothing comes
    assert told == []
