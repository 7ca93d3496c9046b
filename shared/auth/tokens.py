"""Issues access tokens: short-lived JWTs signed with Ed25519 (RFC 8037, claims as in RFC 9068).

The users subgraph issues them at registration and login; every subgraph and the router check them
with the public key alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import jwt

from shared.auth.keys import ALGORITHM
from shared.auth.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.auth.keys import PublicKey, SigningKey
    from shared.sharding import EntityId

__all__ = ["TOKEN_TYPE", "IssuedToken", "TokenIssuer"]

TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, not a secret

# hosts' clocks differ a little: a token must be good at once everywhere
_CLOCK_SKEW = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A signed token, and the viewer that it makes of its bearer."""

    text: str
    viewer: Viewer


class TokenIssuer:
    """Signs access tokens of one issuer for one audience; ``ttl`` is how long they live.

    ``others`` are public keys that tokens are believed by too: of the key before this one, while
    its tokens live, and of the key to come, so that everybody knows it before it is used.
    """

    def __init__(
        self,
        key: SigningKey,
        *,
        issuer: str,
        audience: str,
        others: Iterable[PublicKey] = (),
        ttl: timedelta = timedelta(minutes=15),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key = key
        self._others = tuple(other for other in others if other.kid != key.kid)
        self._clock = clock
        self.issuer = issuer
        self.audience = audience
        self.ttl = ttl

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """What verifiers need to know; the one that signs comes first."""
        return (self._key.public, *self._others)

    def derive_secret(self, purpose: str) -> bytes:
        """A secret of the signing service alone; see ``SigningKey.derive``."""
        return self._key.derive(purpose)

    def issue(
        self,
        *,
        user_id: EntityId | None,
        session_id: EntityId | None = None,
        scopes: Iterable[str] = (),
    ) -> IssuedToken:
        """A token whose bearer is ``user_id`` (None: a machine, known only by ``scopes``)."""
        # whole seconds, as the claims are: the viewer must not outlive the token
        now = self._clock().replace(microsecond=0)
        viewer = Viewer(
            user_id=user_id,
            session_id=session_id,
            scopes=frozenset(scopes),
            expires_at=now + self.ttl,
        )
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "nbf": now - _CLOCK_SKEW,
            "exp": viewer.expires_at,
            "jti": uuid4().hex,
            "scope": " ".join(sorted(viewer.scopes)),
        }
        if user_id is not None:
            claims["sub"] = str(user_id)
        if session_id is not None:
            claims["sid"] = str(session_id)
        text = jwt.encode(
            claims,
            self._key.private_key,
            algorithm=ALGORITHM,
            headers={"kid": self._key.kid, "typ": TOKEN_TYPE},
        )
        return IssuedToken(text=text, viewer=viewer)
