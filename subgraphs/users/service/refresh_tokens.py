"""Refresh tokens as values: ``<session id>.<secret>``, 256 bits that only the client has.

The ID leads to the row, the secret is what counts; stored is a hash of the whole. A token's
successor is made of the token itself and a salt that the server keeps, so that the same exchange
can be answered again: neither a stolen token nor a stolen database gives the next one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Self

from shared.sharding import EntityId, InvalidIdError

__all__ = ["RefreshToken", "new_salt"]

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A well-formed refresh token, genuine or not."""

    session_id: EntityId
    text: str

    @classmethod
    def new(cls, session_id: EntityId) -> Self:
        """The first token of a session."""
        return cls._of(session_id, secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str, *, slots: int) -> Self | None:
        """The token that a client sent; None when it cannot be one."""
        identifier, _, secret = text.partition(".")
        if _SECRET.fullmatch(secret) is None:
            return None
        try:
            return cls(EntityId.parse(identifier, slots=slots), text)
        except InvalidIdError:
            return None

    def successor(self, salt: bytes) -> Self:
        """The token that this one is exchanged for."""
        return self._of(self.session_id, hmac.digest(salt, self.text.encode(), "sha256"))

    @property
    def hash(self) -> bytes:
        """What is stored of it."""
        return hashlib.sha256(self.text.encode()).digest()

    def is_stored_as(self, stored: bytes) -> bool:
        """Whether this is the token of a stored hash."""
        return hmac.compare_digest(self.hash, stored)

    @classmethod
    def _of(cls, session_id: EntityId, secret: bytes) -> Self:
        text = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
        return cls(session_id, f"{session_id}.{text}")


def new_salt() -> bytes:
    """A salt for one exchange."""
    return secrets.token_bytes(32)
