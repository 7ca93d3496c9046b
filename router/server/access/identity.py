"""The caller of a request, as a verified token names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A verified caller; an anonymous one has no identity.

    ``claims`` are the token's, as they came. ``issued_at`` and ``expires_at`` are Unix time, in
    seconds. ``scopes``
    are what ``@requiresScopes`` is decided by, ``policies`` those that the token itself grants.
    """

    subject: str | None
    claims: Mapping[str, Any]
    issued_at: float | None = None
    expires_at: float | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    policies: frozenset[str] = field(default_factory=frozenset)

    @property
    def user(self) -> str | None:
        """A name that no other caller has, whoever issued the token; None without a subject."""
        return None if self.subject is None else f"{self.claims.get('iss', '')} {self.subject}"
