"""From a page request to the part of a list that a repository reads (by UUID, newest first)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from subgraphs.users.repository import KeyRange

if TYPE_CHECKING:
    from shared.pagination import Keyset, PageRequest

__all__ = ["key_range"]


def key_range(keyset: Keyset, request: PageRequest) -> KeyRange:
    """What to read for ``build_page``. Raises ``BadUserInputError`` on another list's cursor."""
    return KeyRange(
        limit=request.limit + 1,
        after=_uuid(keyset, request.after, "after"),
        before=_uuid(keyset, request.before, "before"),
        backward=request.backward,
    )


def _uuid(keyset: Keyset, cursor: str | None, field: str) -> UUID | None:
    if cursor is None:
        return None
    (uuid,) = keyset.decode(cursor, field=field)
    assert isinstance(uuid, UUID)
    return uuid
