"""Checks access tokens (RFC 7519, with the advice of RFC 8725).

What is pinned by configuration, whatever a token's header says: the issuer by ``iss``, and through
it the algorithms, keys, audiences and types. Nothing of a token counts before its signature is
verified, except for which issuer to ask. A verified token is remembered by its hash until it
expires or its issuer's keys change, so that the next request with it costs microseconds.
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import jwt
from jwt import PyJWTError

from router.server.access.identity import Identity
from router.server.access.jwks import KeysUnavailableError
from router.server.errors import RequestError, RequestErrorCode
from router.server.lru import LruCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from router.server.access.issuers import JwtIssuer
    from router.server.access.jwks import KeySource
    from router.server.access.keys import VerificationKey

__all__ = ["TokenVerifier", "VerifierSettings", "invalid_token", "revoked_token"]

_MAX_TOKEN_LENGTH: Final = 8_192
_MAX_CACHED_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierSettings:
    """What holds for all issuers; ``leeway`` in seconds."""

    leeway: float
    required_claims: tuple[str, ...]
    scope_claim: str
    policy_claim: str
    cache_size: int


class _Verified(NamedTuple):
    identity: Identity
    source: KeySource
    version: int


class TokenVerifier:
    """Verifies tokens of several issuers, by ``iss``; ``clock`` gives Unix time."""

    def __init__(
        self,
        issuers: Mapping[str, tuple[JwtIssuer, KeySource]],
        settings: VerifierSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = issuers
        self._settings = settings
        self._clock = clock
        self._verified: LruCache[bytes, _Verified] = LruCache(
            max_entries=settings.cache_size, max_weight=_MAX_CACHED_BYTES
        )

    async def verify(self, token: str) -> Identity:
        """Return who the token names.

        Raises RequestError: ``TOKEN_EXPIRED``, ``INVALID_TOKEN``, or ``AUTHENTICATION_UNAVAILABLE``
        when its issuer's keys cannot be had.
        """
        if len(token) > _MAX_TOKEN_LENGTH:
            raise invalid_token("The access token is too long")
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._verified.get(digest)
        if known is not None:
            known.source.keep_fresh()
            if known.version == known.source.version:
                self._require_current(known.identity)
                return known.identity
        verified = await self._verify(token)
        self._verified.put(digest, verified, len(token))
        return verified.identity

    async def aclose(self) -> None:
        """Let go of all keys."""
        for _, source in self._issuers.values():
            await source.aclose()

    async def _verify(self, token: str) -> _Verified:
        header, claimed = _unverified(token)
        issuer, source = self._issuers.get(str(claimed.get("iss")), (None, None))
        if issuer is None or source is None:
            raise invalid_token()
        algorithm = header.get("alg")
        kid = header.get("kid")
        if (
            algorithm not in issuer.algorithms
            or "crit" in header
            or not isinstance(kid, str | None)
            or (issuer.types and header.get("typ") not in issuer.types)
        ):
            raise invalid_token()
        try:
            key = await source.find(kid, algorithm)
        except KeysUnavailableError:
            raise _unavailable() from None
        if key is None:
            raise invalid_token()
        version = source.version
        return _Verified(self._identity(self._claims(token, issuer, key)), source, version)

    def _claims(self, token: str, issuer: JwtIssuer, key: VerificationKey) -> dict[str, Any]:
        options = {
            "require": list(self._settings.required_claims),
            "verify_aud": issuer.audiences is not None,
            "verify_exp": False,  # by our own clock, here and for remembered tokens
            "verify_nbf": False,
            "verify_iat": False,
            "verify_sub": False,
            "verify_jti": False,
        }
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                issuer=issuer.issuer,
                audience=issuer.audiences,
                options=options,  # type: ignore[arg-type]  # a TypedDict that wants literal keys
            )
        except (PyJWTError, ValueError):
            raise invalid_token() from None

    def _identity(self, claims: dict[str, Any]) -> Identity:
        settings = self._settings
        not_before, subject = _moment(claims, "nbf"), claims.get("sub")
        if not isinstance(subject, str | None):
            raise invalid_token()
        if not_before is not None and not_before > self._clock() + settings.leeway:
            raise invalid_token("The access token is not valid yet")
        identity = Identity(
            subject=subject,
            claims=claims,
            issued_at=_moment(claims, "iat"),
            expires_at=_moment(claims, "exp"),
            scopes=_words(claims.get(settings.scope_claim)),
            policies=_words(claims.get(settings.policy_claim)),
        )
        self._require_current(identity)
        return identity

    def _require_current(self, identity: Identity) -> None:
        expires_at = identity.expires_at
        if expires_at is not None and self._clock() >= expires_at + self._settings.leeway:
            raise RequestError(
                RequestErrorCode.TOKEN_EXPIRED,
                "The access token has expired",
                status=401,
                headers=_challenge("The access token has expired"),
            )


def revoked_token() -> RequestError:
    """Return the refusal of a token that would still be good."""
    message = "The access token has been revoked"
    return RequestError(
        RequestErrorCode.TOKEN_REVOKED, message, status=401, headers=_challenge(message)
    )


def invalid_token(message: str = "The access token is not valid") -> RequestError:
    """Return the refusal of a token. It says little: the details would only help a forger."""
    return RequestError(
        RequestErrorCode.INVALID_TOKEN, message, status=401, headers=_challenge(message)
    )


def _unavailable() -> RequestError:
    return RequestError(
        RequestErrorCode.AUTHENTICATION_UNAVAILABLE,
        "Access tokens cannot be checked at the moment",
        status=503,
        headers=((b"retry-after", b"5"),),
    )


def _challenge(description: str) -> tuple[tuple[bytes, bytes], ...]:
    """The header that RFC 6750, section 3, asks for."""
    value = f'Bearer error="invalid_token", error_description="{description}"'
    return ((b"www-authenticate", value.encode("ascii")),)


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as the token has them: only good for choosing what to check it with."""
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError):
        raise invalid_token() from None
    return parts["header"], parts["payload"]


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate claim (RFC 7519, section 2)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise invalid_token()
    return float(value)


def _words(claim: Any) -> frozenset[str]:
    """Scopes as RFC 6749 writes them, separated by spaces, or as a list; else there are none."""
    if isinstance(claim, str):
        return frozenset(claim.split())
    items: Sequence[Any] = claim if isinstance(claim, list) else ()
    return frozenset(item for item in items if isinstance(item, str))
