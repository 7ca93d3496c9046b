"""The viewer: on whose behalf a request runs. Services decide by it; nothing else does."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.auth.errors import ForbiddenError, UnauthenticatedError

if TYPE_CHECKING:
    from datetime import datetime

    from shared.sharding import EntityId

__all__ = ["Scope", "Viewer"]


class Scope(StrEnum):
    """What a token may allow beyond the rights of an ordinary user."""

    USERS_ADMIN = "users:admin"
    POSTS_MODERATE = "posts:moderate"
    OPS_READ = "ops:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The verified bearer of a token. ``user_id`` is None for a machine, which acts by its scopes
    alone.

    ``scopes`` are plain strings: a token may hold scopes that this version of the code does not
    know.
    """

    user_id: EntityId | None
    scopes: frozenset[str] = field(default_factory=frozenset)
    session_id: EntityId | None = None
    expires_at: datetime

    def is_user(self, user_id: EntityId) -> bool:
        """Whether the viewer is this very user."""
        return self.user_id is not None and self.user_id == user_id

    def has_scope(self, scope: Scope) -> bool:
        """Whether the token grants ``scope``."""
        return scope in self.scopes

    def require_user(self) -> EntityId:
        """The viewer's user id; ``UNAUTHENTICATED`` for a machine."""
        if self.user_id is None:
            raise UnauthenticatedError("Sign in as a user to do this.")
        return self.user_id

    def require_scope(self, scope: Scope) -> None:
        """Refuse with ``FORBIDDEN`` unless the token grants ``scope``."""
        if not self.has_scope(scope):
            raise ForbiddenError(f"This needs the scope {scope}.")
