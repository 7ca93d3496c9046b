"""Which tokens are good, and what becomes of the others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import jwt
import pytest

from router.server.access.issuers import JwtIssuer
from router.server.access.jwks import Jwks, KeySource, SharedSecret
from router.server.access.verifier import TokenVerifier, VerifierSettings
from router.server.errors import RequestError
from tests.support.token_issuers import ISSUER, SECRET, Key, claims_of, issuer_setting

KEY = Key("one")
RSA = Key("rsa", "RS256")
EC = Key("ec", "ES256")
OTHER = Key("one")  # the same id, another key
SETTINGS = VerifierSettings(
    leeway=5.0,
    required_claims=("exp",),
    scope_claim="scope",
    policy_claim="policies",
    cache_size=100,
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Published:
    """A document of keys, as a source reads it."""

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys)

    async def __call__(self) -> bytes:
        return json.dumps({"keys": [key.jwk for key in self.keys]}).encode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def source_of(published: Published, issuer: JwtIssuer) -> Jwks:
    return Jwks(published, issuer.algorithms, max_age=300.0, min_interval=0.0, name="test")


@pytest.fixture
async def verifier(clock: Clock) -> AsyncGenerator[TokenVerifier, None]:
    issuer = JwtIssuer.model_validate(issuer_setting("http://unused"))
    source = source_of(Published(KEY, RSA, EC), issuer)
    verifier = TokenVerifier({ISSUER: (issuer, source)}, SETTINGS, clock)
    yield verifier
    await verifier.aclose()


def _segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(header: Any, payload: Any, signature: bytes = b"x") -> str:
    """A token with any content."""
    tail = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    return f"{_segment(header)}.{_segment(payload)}.{tail}"


def confused() -> str:
    """A token signed with HS256 and the public key as the secret."""
    body = f"{_segment({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{_segment(claims_of())}"
    signature = hmac.digest(RSA.pem, body.encode(), hashlib.sha256)
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("key", [KEY, RSA, EC], ids=lambda key: key.algorithm)
async def test_a_token_of_each_algorithm_names_its_caller(
    verifier: TokenVerifier, key: Key
) -> None:
    identity = await verifier.verify(key.token(scope="read write", policies=["p"], exp=2**33))

    assert identity.subject == "ada"
    assert identity.scopes == {"read", "write"}
    assert identity.policies == {"p"}
    assert identity.expires_at == 2**33
    assert identity.claims["iss"] == ISSUER


async def test_scopes_may_be_a_list(verifier: TokenVerifier) -> None:
    identity = await verifier.verify(KEY.token(scope=["read", 7, "write"]))

    assert identity.scopes == {"read", "write"}


BAD = {
    "nothing": "",
    "words": "not a token",
    "two parts": "a.b",
    "not base64": "!!.!!.!!",
    "algorithm none": forged({"alg": "none"}, claims_of(), b""),
    "algorithm None": forged({"alg": "None", "kid": "one"}, claims_of(), b""),
    "no algorithm": forged({"kid": "one"}, claims_of()),
    "algorithm not a string": forged({"alg": ["EdDSA"], "kid": "one"}, claims_of()),
    "no signature": KEY.token().rsplit(".", 1)[0] + ".",
    "signature of another": KEY.token(sub="a").rsplit(".", 1)[0]
    + "."
    + KEY.token(sub="b").rsplit(".", 1)[1],
    "another key of the same id": OTHER.token(),
    "unknown key id": Key("two").token(),
    "key id not a string": forged({"alg": "EdDSA", "kid": 1}, claims_of()),
    "key of another algorithm": KEY.token(headers={"kid": "rsa"}),
    "public key as a secret": confused(),
    "secret of a stranger": jwt.encode(claims_of(), SECRET, "HS256", {"kid": "one"}),
    "wrong issuer": KEY.token(iss="https://evil.example"),
    "no issuer": KEY.token(iss=None),
    "issuer not a string": forged({"alg": "EdDSA", "kid": "one"}, claims_of(iss=["x"])),
    "wrong audience": KEY.token(aud="other"),
    "no audience": KEY.token(aud=None),
    "not yet": KEY.token(nbf=int(time.time()) + 3600),
    "no expiry": KEY.token(exp=None),
    "expiry not a number": forged({"alg": "EdDSA", "kid": "one"}, claims_of(exp="soon")),
    "critical extension": KEY.token(headers={"crit": ["x"], "x": 1}),
    "payload not JSON": f"{_segment({'alg': 'EdDSA', 'kid': 'one'})}.bm90IGpzb24.eA",
    "payload a list": forged({"alg": "EdDSA", "kid": "one"}, [1]),
    "header a list": forged([1], claims_of()),
    "deep payload": forged({"alg": "EdDSA", "kid": "one"}, {}).replace(
        _segment({}), base64.urlsafe_b64encode(b"[" * 3000).decode()
    ),
    "huge": KEY.token(filler="x" * 9000),
    "not ASCII": KEY.token() + "ü",
    "lone surrogate": KEY.token() + "\udcff",
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
async def test_a_bad_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(RequestError) as caught:
        await verifier.verify(token)

    assert caught.value.code == "INVALID_TOKEN"
    assert caught.value.status == 401
    assert dict(caught.value.headers)[b"www-authenticate"].startswith(
        b'Bearer error="invalid_token"'
    )


async def test_clocks_may_differ_by_the_leeway(verifier: TokenVerifier, clock: Clock) -> None:
    now = int(clock.now)

    assert (await verifier.verify(KEY.token(nbf=now + 3, exp=now - 3))).subject == "ada"
    with pytest.raises(RequestError) as caught:
        await verifier.verify(KEY.token(exp=now - 7))
    assert caught.value.code == "TOKEN_EXPIRED"
    assert caught.value.status == 401


async def test_a_remembered_token_expires(verifier: TokenVerifier, clock: Clock) -> None:
    token = KEY.token(exp=int(clock.now) + 60)
    first = await verifier.verify(token)
    again = await verifier.verify(token)

    clock.now += 70

    assert again is first
    with pytest.raises(RequestError) as caught:
        await verifier.verify(token)
    assert caught.value.code == "TOKEN_EXPIRED"


async def test_a_remembered_token_is_checked_again_when_keys_change(clock: Clock) -> None:
    issuer = JwtIssuer.model_validate(issuer_setting("http://unused"))
    published = Published(KEY)
    source = source_of(published, issuer)
    verifier = TokenVerifier({ISSUER: (issuer, source)}, SETTINGS, clock)
    token, newer = KEY.token(), Key("newer")
    await verifier.verify(token)

    published.keys = [newer]
    assert (await verifier.verify(newer.token())).subject == "ada"  # makes the keys be read

    with pytest.raises(RequestError) as caught:
        await verifier.verify(token)
    assert caught.value.code == "INVALID_TOKEN"
    await verifier.aclose()


async def test_the_type_is_pinned_where_it_is_configured(clock: Clock) -> None:
    issuer = JwtIssuer.model_validate(issuer_setting("http://unused", types=["at+jwt"]))
    verifier = TokenVerifier({ISSUER: (issuer, source_of(Published(KEY), issuer))}, SETTINGS, clock)

    assert (await verifier.verify(KEY.token(headers={"typ": "at+jwt"}))).subject == "ada"
    with pytest.raises(RequestError):
        await verifier.verify(KEY.token())
    await verifier.aclose()


async def test_a_secret_verifies_its_own_tokens_only(clock: Clock) -> None:
    issuer = JwtIssuer.model_validate(issuer_setting())
    verifier = TokenVerifier({ISSUER: (issuer, SharedSecret(SECRET))}, SETTINGS, clock)

    assert (await verifier.verify(jwt.encode(claims_of(), SECRET, "HS256"))).subject == "ada"
    for token in (jwt.encode(claims_of(), SECRET[::-1], "HS256"), KEY.token()):
        with pytest.raises(RequestError) as caught:
            await verifier.verify(token)
        assert caught.value.code == "INVALID_TOKEN"


async def test_each_issuer_has_its_own_keys(clock: Clock) -> None:
    other = "https://other.example"
    first = JwtIssuer.model_validate(issuer_setting("http://unused"))
    second = JwtIssuer.model_validate(issuer_setting(issuer=other))
    sources: dict[str, tuple[JwtIssuer, KeySource]] = {
        ISSUER: (first, source_of(Published(KEY), first)),
        other: (second, SharedSecret(SECRET)),
    }
    verifier = TokenVerifier(sources, SETTINGS, clock)

    assert (await verifier.verify(KEY.token())).subject == "ada"
    assert (
        await verifier.verify(jwt.encode(claims_of(iss=other), SECRET, "HS256"))
    ).subject == "ada"
    with pytest.raises(RequestError):
        await verifier.verify(KEY.token(iss=other))
    with pytest.raises(RequestError):
        await verifier.verify(jwt.encode(claims_of(), SECRET, "HS256"))
    await verifier.aclose()


async def test_the_memory_of_tokens_is_bounded(verifier: TokenVerifier) -> None:
    for number in range(120):
        await verifier.verify(KEY.token(sub=str(number)))

    assert len(verifier._verified) == 100
