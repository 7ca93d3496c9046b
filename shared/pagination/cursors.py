"""Opaque cursors: a JSON value with the name of its list, in unpadded base64url.

Opaque means that clients must not look inside. It is no secret and nothing in it is trusted:
decoding accepts only what ``encode_cursor`` writes, and ``Keyset`` checks every part before it goes
near a statement.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeAlias, Union

import orjson

from shared.errors import BadUserInputError

__all__ = ["MAX_CURSOR_LENGTH", "JsonValue", "bad_cursor", "decode_cursor", "encode_cursor"]

JsonValue: TypeAlias = Union[bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]", None]

MAX_CURSOR_LENGTH = 16_384  # a few hundred shards' positions; longer texts are refused unread

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


def encode_cursor(name: str, value: JsonValue) -> str:
    """The cursor of ``value`` in the list called ``name``."""
    return urlsafe_b64encode(orjson.dumps([name, value])).rstrip(b"=").decode()


def decode_cursor(name: str, cursor: str, *, field: str = "after") -> JsonValue:
    """The value that ``encode_cursor(name, value)`` was given.

    Raises:
        BadUserInputError: anything else, another list's cursor included; ``field`` is the
            argument's name.
    """
    if len(cursor) > MAX_CURSOR_LENGTH or _BASE64URL.fullmatch(cursor) is None:
        raise bad_cursor(field)
    try:
        content = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:  # not base64 of any length, not UTF-8, not JSON, or nested too deeply
        raise bad_cursor(field) from None
    if not (isinstance(content, list) and len(content) == 2 and content[0] == name):
        raise bad_cursor(field)
    value: JsonValue = content[1]
    if encode_cursor(name, value) != cursor:  # one value has one cursor
        raise bad_cursor(field)
    return value


def bad_cursor(field: str) -> BadUserInputError:
    """The error for every text that is no cursor of the list."""
    return BadUserInputError("This is not a cursor of this list.", field=field)
