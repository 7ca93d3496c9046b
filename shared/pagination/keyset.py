"""Keyset pagination: a list's order as typed key parts, and cursors that hold one row's key.

A key is what the list is ordered by, ending in something unique, so that "the rows after this one"
means the same however many rows come and go. Python compares keys exactly as PostgreSQL does (text
under ``COLLATE "C"``), which lets ``shared.sharding.scatter`` merge the answers of several shards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from shared.pagination.cursors import JsonValue, bad_cursor, decode_cursor, encode_cursor

__all__ = ["Key", "KeyPart", "Keyset"]

Key: TypeAlias = "tuple[int | str | datetime | UUID, ...]"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_MICROSECONDS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MIN_MICROSECONDS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_BIGINT = range(-(2**63), 2**63)
_UUID = re.compile(r"[0-9a-f]{32}")


class KeyPart(StrEnum):
    """The type of one part of a key, and how a cursor spells it."""

    INTEGER = "integer"  # a PostgreSQL bigint
    TEXT = "text"
    TIME = "time"  # timestamptz; microseconds since 1970
    UUID = "uuid"  # 32 hex digits


@dataclass(frozen=True, slots=True)
class Keyset:
    """The key of one list. ``name`` stands in its cursors, so that another list refuses them."""

    name: str
    parts: tuple[KeyPart, ...]

    def encode(self, key: Key) -> str:
        """The cursor of the row with this key."""
        return encode_cursor(self.name, self.to_json(key))

    def decode(self, cursor: str, *, field: str = "after") -> Key:
        """The key in a cursor from outside, every part of the right type and in its range.

        Raises:
            BadUserInputError: it is no cursor of this list; ``field`` is the argument's name.
        """
        return self.from_json(decode_cursor(self.name, cursor, field=field), field=field)

    def to_json(self, key: Key) -> list[JsonValue]:
        """The key as JSON."""
        return [_part_to_json(value) for value in key]

    def from_json(self, value: JsonValue, *, field: str = "after") -> Key:
        """The key that ``to_json`` was given. Raises ``BadUserInputError`` on anything else."""
        if not isinstance(value, list) or len(value) != len(self.parts):
            raise bad_cursor(field)
        try:
            return tuple(map(_part_from_json, self.parts, value))
        except ValueError:
            raise bad_cursor(field) from None


def _part_to_json(value: int | str | datetime | UUID) -> JsonValue:
    match value:
        case UUID():
            return value.hex
        case datetime():
            return (value - _EPOCH) // _MICROSECOND
        case _:
            return value


def _part_from_json(part: KeyPart, value: JsonValue) -> int | str | datetime | UUID:
    """Raises ``ValueError`` when the value is no such part."""
    match part, value:
        case KeyPart.TEXT | KeyPart.UUID, str():
            return _uuid(value) if part is KeyPart.UUID else _text(value)
        case KeyPart.INTEGER | KeyPart.TIME, int() if not isinstance(value, bool):
            return _time(value) if part is KeyPart.TIME else _integer(value)
        case _:
            raise ValueError


def _uuid(value: str) -> UUID:
    if _UUID.fullmatch(value) is None:
        raise ValueError
    return UUID(hex=value)


def _text(value: str) -> str:
    if "\0" in value:  # PostgreSQL's text cannot hold it
        raise ValueError
    return value


def _integer(value: int) -> int:
    if value not in _BIGINT:
        raise ValueError
    return value


def _time(value: int) -> datetime:
    if not _MIN_MICROSECONDS <= value <= _MAX_MICROSECONDS:
        raise ValueError
    return _EPOCH + value * _MICROSECOND
