"""Sessions end what holds them: at expiry, and when they are revoked."""

import asyncio
import time

import pytest

from router.server.access.identity import Identity
from router.server.subscriptions.ending import SESSION_REVOKED, TOKEN_EXPIRED, EndReason
from router.server.subscriptions.session import Session, Sessions, session_of

HOUR = 3_600.0


async def test_an_anonymous_client_holds_nothing() -> None:
    assert Sessions(remember=HOUR).hold(Session(), lambda reason: None) is None


async def test_a_holder_is_told_when_the_token_expires() -> None:
    told: asyncio.Queue[EndReason] = asyncio.Queue()
    now = asyncio.get_running_loop().time()

    Sessions(remember=HOUR).hold(Session(expires_at=now + 0.01), told.put_nowait)

    assert await asyncio.wait_for(told.get(), 5) is TOKEN_EXPIRED


async def test_a_token_that_has_expired_already_ends_at_once() -> None:
    told: asyncio.Queue[EndReason] = asyncio.Queue()

    Sessions(remember=HOUR).hold(Session(expires_at=0.0), told.put_nowait)

    assert await asyncio.wait_for(told.get(), 5) is TOKEN_EXPIRED


async def test_revoking_any_id_ends_every_holder_once() -> None:
    sessions, told = Sessions(remember=HOUR), list[tuple[str, EndReason]]()
    for name, ids in (("a", ("s1", "u1")), ("b", ("s2", "u1")), ("c", ("s3", "u2"))):
        session = Session(ids=frozenset(zip(("sid", "sub"), ids, strict=True)))
        sessions.hold(session, lambda reason, name=name: told.append((name, reason)))  # type: ignore[misc]

    assert sessions.revoke("sid", "s1") == 1
    assert sessions.revoke("sub", "u1") == 1
    assert sessions.revoke("sub", "u1") == 0
    assert sessions.revoke("sid", "u2") == 0
    assert sessions.revoke("jti", "unknown") == 0

    assert told == [("a", SESSION_REVOKED), ("b", SESSION_REVOKED)]


async def test_who_has_released_a_session_hears_nothing() -> None:
    sessions, told = Sessions(remember=HOUR), list[EndReason]()
    expires_at = asyncio.get_running_loop().time() + 0.01
    hold = sessions.hold(Session(ids=frozenset({("sid", "s")}), expires_at=expires_at), told.append)
    assert hold is not None

    hold.release()
    hold.release()

    assert sessions.revoke("sid", "s") == 0
    await asyncio.sleep(0.02)  # past the expiry, of which nothing comes
    assert told == []


def identity(**claims: object) -> Identity:
    issued_at = claims.get("iat")
    assert isinstance(issued_at, float | None)
    return Identity(subject="ada", claims=claims, issued_at=issued_at)


async def test_what_is_revoked_while_it_is_opened_ends_at_once() -> None:
    sessions, told = Sessions(remember=HOUR), asyncio.Queue[EndReason]()
    session = session_of(identity(sid="s"), leeway=10)

    sessions.revoke("sid", "s")
    sessions.hold(session, told.put_nowait)

    assert await asyncio.wait_for(told.get(), 5) is SESSION_REVOKED
    assert sessions.revoke("sid", "s") == 0


@pytest.mark.parametrize(
    ("claim", "issued_at", "is_void"),
    [
        ("sub", 99.0, True),
        ("sub", 100.0, True),
        ("sub", 101.0, False),
        ("sub", None, True),
        ("sid", 101.0, True),
        ("jti", 101.0, True),
    ],
)
async def test_only_a_subject_comes_back_with_a_token_issued_later(
    claim: str, issued_at: float | None, is_void: bool
) -> None:
    now = time.time()
    sessions, told = Sessions(remember=HOUR), list[EndReason]()
    iat = None if issued_at is None else now - 100 + issued_at
    who = identity(**{claim: "x", "iat": iat})
    sessions.hold(session_of(who, leeway=10), told.append)

    ended = sessions.revoke(claim, "x", at=now + 0.5)

    assert (ended, sessions.is_revoked(who)) == (int(is_void), is_void)
    assert told == [SESSION_REVOKED] * ended


def test_of_two_revocations_the_later_one_counts() -> None:
    sessions, now = Sessions(remember=HOUR), time.time()

    sessions.revoke("sub", "ada", at=now)
    sessions.revoke("sub", "ada", at=now - 60)

    assert sessions.is_revoked(identity(sub="ada", iat=now - 30))


def test_a_revocation_is_forgotten_when_no_token_can_be_left() -> None:
    sessions, now = Sessions(remember=HOUR), time.time()

    sessions.revoke("sid", "old", at=now - HOUR - 60)
    sessions.revoke("sid", "new")

    assert not sessions.is_revoked(identity(sid="old"))
    assert sessions.is_revoked(identity(sid="new"))


def test_nothing_is_revoked_by_another_claim() -> None:
    with pytest.raises(ValueError, match="email"):
        Sessions(remember=HOUR).revoke("email", "ada@example.org")
