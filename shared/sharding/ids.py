"""Entity IDs: ``<slot>-<uuidv7 as 32 hex digits>``.

An example is ``17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f``. An ID alone tells where its row lives (the
slot, see ``topology``) and when it was made (UUIDv7). IDs are made here, in the application, before
the insert. Parsing is strict and happens before any I/O: one ID has exactly one spelling, so IDs
can be compared, cached and logged as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NewType
from uuid import UUID

from typing_extensions import override

from shared.errors import BadUserInputError
from shared.sharding.uuid7 import new_uuid7, uuid7_milliseconds

if TYPE_CHECKING:
    from typing import Self

__all__ = ["DEFAULT_SLOTS", "MAX_SLOTS", "EntityId", "InvalidIdError", "ShardId", "Slot"]

Slot = NewType("Slot", int)
"""A logical shard, ``0 .. slots - 1``. A row never changes its slot."""

ShardId = NewType("ShardId", str)
"""The name of a physical shard, for example ``shard-0``. It says nothing about hosts."""

DEFAULT_SLOTS = 256
MAX_SLOTS = 32_768  # a slot is a PostgreSQL smallint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Version 7 and the RFC 9562 variant stand in the digits themselves. ASCII classes only: `\d` would
# take any script's digits.
_ID = re.compile(r"(0|[1-9][0-9]{0,4})-([0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15})")


class InvalidIdError(BadUserInputError):
    """The text is no ID of this deployment (``BAD_USER_INPUT``)."""

    def __init__(self, *, field: str) -> None:
        super().__init__("This is not a valid ID.", field=field)


@dataclass(frozen=True, slots=True)
class EntityId:
    """The ID of a row: its home slot and a UUIDv7."""

    slot: Slot
    uuid: UUID

    @classmethod
    def new(cls, slot: Slot) -> Self:
        """A fresh ID in this slot; those of one process sort in the order they were made."""
        return cls(slot, new_uuid7())

    @classmethod
    def parse(cls, text: str, slots: int = DEFAULT_SLOTS, field: str = "id") -> Self:
        """Reads an ID that came from outside.

        Args:
            text: what the client sent.
            slots: the deployment's number of slots.
            field: the argument's name, for ``extensions.field``.

        Raises:
            InvalidIdError: anything but the canonical spelling of an ID in a slot below ``slots``.
        """
        match = _ID.fullmatch(text)
        if match is None or (slot := int(match[1])) >= slots:
            raise InvalidIdError(field=field)
        return cls(Slot(slot), UUID(hex=match[2]))

    @property
    def created_at(self) -> datetime:
        """When the ID was made, UTC, to the millisecond."""
        return _EPOCH + timedelta(milliseconds=uuid7_milliseconds(self.uuid))

    @override
    def __str__(self) -> str:
        return f"{self.slot}-{self.uuid.hex}"
