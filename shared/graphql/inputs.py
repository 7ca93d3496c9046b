"""Arguments as clients send them, checked before any I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from shared.errors import BadUserInputError
from shared.sharding import EntityId

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_IDS", "parse_id", "parse_ids", "request_uuid"]

MAX_IDS = 100
"""How many IDs one argument may hold."""


def parse_id(text: str, *, slots: int, field: str = "id") -> EntityId:
    """The ID, or ``BAD_USER_INPUT``."""
    return EntityId.parse(text, slots=slots, field=field)


def parse_ids(texts: Sequence[str], *, slots: int, field: str = "ids") -> list[EntityId]:
    """All IDs in the order given;

    ``BAD_USER_INPUT`` when there are too many or one of them is malformed.
    """
    if len(texts) > MAX_IDS:
        raise BadUserInputError(f"At most {MAX_IDS} IDs at a time.", field=field)
    return [EntityId.parse(text, slots=slots, field=field) for text in texts]


def request_uuid(text: str | None, *, field: str = "clientRequestId") -> UUID | None:
    """A ``clientRequestId``: a UUID in its usual spelling, made by the client;

    ``BAD_USER_INPUT`` otherwise.
    """
    if text is None:
        return None
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    # UUID() also takes braces, urn: and digits without hyphens; one spelling is enough
    if parsed is None or str(parsed) != text.lower():
        raise BadUserInputError(f"{field} must be a UUID.", field=field)
    return parsed
