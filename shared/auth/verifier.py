"""Checks access tokens and says who the bearer is.

Every subgraph does this for itself, on every request; a header alone is never believed. What is
pinned: the algorithm (EdDSA, whatever the token's header claims), the token type, issuer, audience,
expiry, not-before, and a key id that the key source knows. A verified token is remembered for a
short while, since a page of a client comes as many subgraph requests with the same token.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import jwt

from shared.auth.errors import TokenExpiredError, TokenInvalidError
from shared.auth.keys import ALGORITHM
from shared.auth.tokens import TOKEN_TYPE
from shared.auth.viewer import Viewer
from shared.sharding import EntityId, InvalidIdError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.auth.jwks import KeySource

__all__ = ["TokenVerifier", "bearer_token"]

_MAX_TOKEN_LENGTH = 4096
_REQUIRED_CLAIMS = ["exp", "iat", "nbf", "iss", "aud"]


@dataclass(frozen=True, slots=True)
class _Remembered:
    viewer: Viewer
    until: datetime


class TokenVerifier:
    """Verifies tokens of one issuer for one audience.

    Args:
        keys: where public keys come from.
        issuer: the only ``iss`` accepted.
        audience: the ``aud`` a token must name.
        slots: number of slots of the deployment, which bounds the ids in tokens.
        remember: how long a verified token is taken as verified; also how long a withdrawn key may
            live on.
        capacity: how many verified tokens are remembered at most.
        clock: the time, replaced in tests.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        slots: int = 256,
        remember: timedelta = timedelta(seconds=60),
        capacity: int = 4096,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._slots = slots
        self._remember = remember
        self._capacity = capacity
        self._clock = clock
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    async def verify(self, token: str) -> Viewer:
        """The viewer that ``token`` names.

        Raises:
            TokenExpiredError: the token was valid, and is over.
            TokenInvalidError: anything else is wrong with it.
            SigningKeysUnavailableError: the keys to check it with cannot be had.
        """
        now = self._clock()
        if (known := self._remembered.get(token)) is not None and now < known.until:
            if now >= known.viewer.expires_at:
                raise TokenExpiredError
            self._remembered.move_to_end(token)
            return known.viewer
        viewer = self._viewer(await self._claims(token))
        self._keep(token, _Remembered(viewer, now + self._remember))
        return viewer

    async def _claims(self, token: str) -> Mapping[str, object]:
        key = await self._keys.find(_key_id(token))
        if key is None:
            raise TokenInvalidError
        try:
            claims: Mapping[str, object] = jwt.decode(
                token,
                key.key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                # times are checked by our own clock below, so that one clock decides everywhere
                options={
                    "require": _REQUIRED_CLAIMS,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "strict_aud": True,
                },
            )
        except jwt.PyJWTError as error:
            raise TokenInvalidError from error
        return claims

    def _viewer(self, claims: Mapping[str, object]) -> Viewer:
        expires_at, not_before = _moment(claims["exp"]), _moment(claims["nbf"])
        now = self._clock()
        if now < not_before:
            raise TokenInvalidError
        if now >= expires_at:
            raise TokenExpiredError
        scope = claims.get("scope", "")
        if not isinstance(scope, str):
            raise TokenInvalidError
        return Viewer(
            user_id=self._entity_id(claims.get("sub")),
            session_id=self._entity_id(claims.get("sid")),
            scopes=frozenset(scope.split()),
            expires_at=expires_at,
        )

    def _entity_id(self, claim: object) -> EntityId | None:
        if claim is None:
            return None
        if not isinstance(claim, str):
            raise TokenInvalidError
        try:
            return EntityId.parse(claim, slots=self._slots)
        except InvalidIdError as error:
            raise TokenInvalidError from error

    def _keep(self, token: str, entry: _Remembered) -> None:
        self._remembered[token] = entry
        self._remembered.move_to_end(token)
        if len(self._remembered) > self._capacity:
            self._remembered.popitem(last=False)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an ``Authorization`` value, None when there is none.

    The scheme is case-insensitive (RFC 9110, section 11.1); any other scheme is
    ``TokenInvalidError``.
    """
    if authorization is None or not authorization.strip():
        return None
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or " " in token:
        raise TokenInvalidError
    return token


def _key_id(token: str) -> str:
    """The key id of a token whose header is as ours are; everything else is refused before any key
    is looked up.
    """
    if len(token) > _MAX_TOKEN_LENGTH:
        raise TokenInvalidError
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenInvalidError from error
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE or "crit" in header:
        raise TokenInvalidError
    if not isinstance(kid, str):
        raise TokenInvalidError
    return kid


def _moment(claim: object) -> datetime:
    """A NumericDate claim (RFC 7519, section 2)."""
    if isinstance(claim, bool) or not isinstance(claim, (int, float)):
        raise TokenInvalidError
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise TokenInvalidError from error
