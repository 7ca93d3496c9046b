from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.auth import (
    Scope,
    SigningKey,
    StaticKeys,
    TokenExpiredError,
    TokenInvalidError,
    TokenIssuer,
    TokenVerifier,
    UnauthenticatedError,
    bearer_token,
)
from shared.sharding import EntityId, Slot

KEY = SigningKey.generate()
USER = EntityId.new(Slot(17))
SESSION = EntityId.new(Slot(17))
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> TokenIssuer:
    return TokenIssuer(KEY, issuer="socialnet", audience="api", clock=clock)


@pytest.fixture
def verifier(clock: Clock) -> TokenVerifier:
    return TokenVerifier(
        StaticKeys([KEY.public]), issuer="socialnet", audience="api", clock=clock, capacity=3
    )


def _claims(**overrides: Any) -> dict[str, Any]:
    claims = {
        "iss": "socialnet",
        "aud": "api",
        "sub": str(USER),
        "iat": START,
        "nbf": START,
        "exp": START + timedelta(minutes=15),
        "scope": "",
    }
    return {name: value for name, value in (claims | overrides).items() if value is not None}


def _token(
    key: Any = KEY.private_key,
    algorithm: str = "EdDSA",
    *,
    claims: dict[str, Any] | None = None,
    **header: Any,
) -> str:
    headers = {"kid": KEY.kid, "typ": "at+jwt"} | header
    kept = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(claims or _claims(), key, algorithm=algorithm, headers=kept)


async def test_a_token_makes_its_bearer_the_viewer(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    issued = issuer.issue(user_id=USER, session_id=SESSION, scopes=["users:admin", "later:scope"])

    viewer = await verifier.verify(issued.text)

    assert viewer == issued.viewer
    assert (viewer.user_id, viewer.session_id) == (USER, SESSION)
    assert viewer.scopes == {"users:admin", "later:scope"}
    assert viewer.has_scope(Scope.USERS_ADMIN)
    assert viewer.expires_at == START + timedelta(minutes=15)


async def test_a_machine_has_scopes_and_no_user(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    viewer = await verifier.verify(issuer.issue(user_id=None, scopes=["ops:read"]).text)

    assert viewer.user_id is None
    with pytest.raises(UnauthenticatedError):
        viewer.require_user()


async def test_a_token_is_good_until_its_expiry_and_not_a_moment_longer(
    issuer: TokenIssuer, verifier: TokenVerifier, clock: Clock
) -> None:
    token = issuer.issue(user_id=USER).text

    clock.now = START + timedelta(minutes=15) - timedelta(microseconds=1)
    await verifier.verify(token)
    clock.now = START + timedelta(minutes=15)

    # verified a moment ago and remembered, yet over
    with pytest.raises(TokenExpiredError):
        await verifier.verify(token)


async def test_a_token_of_another_host_whose_clock_is_a_little_ahead_is_good(
    issuer: TokenIssuer, verifier: TokenVerifier, clock: Clock
) -> None:
    clock.now = START + timedelta(seconds=5)
    token = issuer.issue(user_id=USER).text
    clock.now = START

    assert (await verifier.verify(token)).user_id == USER


def _unsigned() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = _claims() | {"iat": 0, "nbf": 0, "exp": 2**33}
    header = {"alg": "none", "typ": "at+jwt", "kid": KEY.kid}
    return f"{part(header)}.{part(claims)}."


def _signed_with_the_public_key_as_secret() -> str:
    public = KEY.public.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return _token(public, "HS256")


def _tampered() -> str:
    header, payload, signature = _token().split(".")
    flipped = payload[:-2] + ("A" if payload[-2] != "A" else "B") + payload[-1]
    return f"{header}.{flipped}.{signature}"


ATTACKS: dict[str, Callable[[], str]] = {
    "no algorithm": _unsigned,
    "the public key as an HMAC secret": _signed_with_the_public_key_as_secret,
    "another algorithm, RSA": lambda: _token(
        rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"
    ),
    "another algorithm, EC": lambda: _token(ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "another key under our id": lambda: _token(SigningKey.generate().private_key),
    "an unknown key": lambda: _token(kid="nobody"),
    "no key id": lambda: _token(kid=None),
    "an empty header": lambda: "e30.e30.e30",
    "another type of token": lambda: _token(typ="JWT"),
    "critical extensions": lambda: _token(crit=["b64"], b64=True),
    "another issuer": lambda: _token(claims=_claims(iss="evil")),
    "another audience": lambda: _token(claims=_claims(aud="other")),
    "several audiences": lambda: _token(claims=_claims(aud=["api", "other"])),
    "no audience": lambda: _token(claims=_claims(aud=None)),
    "no issuer": lambda: _token(claims=_claims(iss=None)),
    "no expiry": lambda: _token(claims=_claims(exp=None)),
    "not yet valid": lambda: _token(claims=_claims(nbf=START + timedelta(minutes=1))),
    "no not-before": lambda: _token(claims=_claims(nbf=None)),
    "a malformed user": lambda: _token(claims=_claims(sub="1' OR 1=1")),
    "a user in no slot": lambda: _token(claims=_claims(sub=f"999-{USER.uuid.hex}")),
    "a malformed session": lambda: _token(claims=_claims(sid="x")),
    "a scope that is no text": lambda: _token(claims=_claims(scope=["users:admin"])),
    "tampered claims": _tampered,
    "a cut signature": lambda: _token()[:-4],
    "no token at all": lambda: "garbage",
    "empty": lambda: "",
    "dots": lambda: "..",
    "not ASCII": lambda: "ä.ö.ü",
    "very long": lambda: "a" * 100_000,
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_forged_token_is_invalid(verifier: TokenVerifier, attack: str) -> None:
    with pytest.raises(TokenInvalidError) as refused:
        await verifier.verify(ATTACKS[attack]())

    assert refused.value.extensions == {"code": "TOKEN_INVALID"}


async def test_the_same_token_untouched_is_valid(verifier: TokenVerifier) -> None:
    assert (await verifier.verify(_token())).user_id == USER


@pytest.mark.parametrize("expiry", [True, "tomorrow", 1e300])
async def test_an_expiry_that_is_no_moment_is_invalid(
    verifier: TokenVerifier, expiry: object
) -> None:
    with pytest.raises(TokenInvalidError):
        await verifier.verify(_token(claims=_claims(exp=expiry)))


async def test_an_expired_forgery_is_invalid_and_not_merely_expired(
    verifier: TokenVerifier,
) -> None:
    claims = _claims(exp=START - timedelta(minutes=1))
    forged = _token(SigningKey.generate().private_key, claims=claims)

    with pytest.raises(TokenInvalidError):
        await verifier.verify(forged)


async def test_verified_tokens_are_remembered_for_a_while_only(clock: Clock) -> None:
    keys = _CountingKeys()
    verifier = TokenVerifier(
        keys, issuer="socialnet", audience="api", clock=clock, remember=timedelta(seconds=30)
    )
    token = _token()

    await verifier.verify(token)
    await verifier.verify(token)
    assert keys.asked == 1
    clock.now += timedelta(seconds=30)
    await verifier.verify(token)
    assert keys.asked == 2
    # a withdrawn key is noticed after that time
    keys.known = False
    clock.now += timedelta(seconds=30)
    with pytest.raises(TokenInvalidError):
        await verifier.verify(token)


async def test_only_so_many_tokens_are_remembered(issuer: TokenIssuer, clock: Clock) -> None:
    keys = _CountingKeys()
    verifier = TokenVerifier(keys, issuer="socialnet", audience="api", clock=clock, capacity=3)
    tokens = [issuer.issue(user_id=USER).text for _ in range(4)]

    for token in tokens:
        await verifier.verify(token)
    await verifier.verify(tokens[3])
    assert keys.asked == 4
    await verifier.verify(tokens[0])
    assert keys.asked == 5


class _CountingKeys:
    def __init__(self) -> None:
        self.asked = 0
        self.known = True

    async def find(self, kid: str) -> Any:
        self.asked += 1
        return KEY.public if self.known and kid == KEY.kid else None


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("Bearer abc", "abc"),
        ("bearer   abc ", "abc"),
        ("BEARER abc", "abc"),
    ],
)
def test_the_token_is_taken_out_of_the_header(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token


@pytest.mark.parametrize("header", ["abc", "Basic abc", "Bearer", "Bearer ", "Bearer a b"])
def test_another_scheme_is_no_token(header: str) -> None:
    with pytest.raises(TokenInvalidError):
        bearer_token(header)
