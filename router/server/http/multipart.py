"""Multipart bodies of JSON parts (RFC 2046, section 5.1), for clients that read them part by part.

A client knows that a part is complete when it sees the delimiter behind it. So that is written with
the part, not before the next one, which may come much later.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BOUNDARY", "ENDING", "OPENING", "json_part"]

BOUNDARY: Final = "graphql"
OPENING: Final = b"\r\n--graphql"
"""Comes before the first part."""

ENDING: Final = b"--\r\n"
"""Comes behind the last part."""


def json_part(body: bytes) -> bytes:
    """Return a part, complete for who reads it."""
    return b"\r\ncontent-type: application/json\r\n\r\n" + body + OPENING
