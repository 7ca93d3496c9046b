"""Who may issue access tokens, and how their tokens are checked: ``ROUTER_JWT_ISSUERS``.

Every issuer has its own keys and its own algorithms. Algorithms with a shared secret need a secret,
those with key pairs need public keys, so no token can make one pass for the other.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

__all__ = ["Algorithm", "JwtIssuer"]

_MIN_SECRET_BYTES: Final = 32  # RFC 7518, section 3.2: no shorter than the hash


class Algorithm(StrEnum):
    """The signature algorithms that can be chosen from (RFC 7518, RFC 8037)."""

    EDDSA = "EdDSA"
    ES256 = "ES256"
    HS256 = "HS256"
    RS256 = "RS256"


class JwtIssuer(BaseModel):
    """One issuer.

    ``issuer`` is the ``iss`` of its tokens. ``audiences`` are those of which a token must name one;
    null accepts any. Exactly one of ``jwks_url``, ``jwks_file`` and ``secret`` says where its keys
    are. ``types`` are the accepted ``typ`` headers; empty accepts any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    audiences: tuple[str, ...] | None = Field(min_length=1)
    algorithms: tuple[Algorithm, ...] = Field(min_length=1)
    jwks_url: HttpUrl | None = None
    jwks_file: Path | None = None
    secret: SecretStr | None = None
    types: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _keys_fit_algorithms(self) -> JwtIssuer:
        given = [self.jwks_url, self.jwks_file, self.secret]
        if sum(source is not None for source in given) != 1:
            raise ValueError("needs exactly one of 'jwks_url', 'jwks_file' and 'secret'")
        shared = Algorithm.HS256 in self.algorithms
        if shared != (self.secret is not None) or (shared and len(set(self.algorithms)) > 1):
            raise ValueError("HS256 needs 'secret', the other algorithms need a JWKS")
        if self.secret is not None:
            length = len(self.secret.get_secret_value().encode())
            if length < _MIN_SECRET_BYTES:
                raise ValueError(f"'secret' must have {_MIN_SECRET_BYTES} bytes or more")
        return self
