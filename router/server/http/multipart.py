"""Multipart bodies of JSON parts (RFC 2046, section 5.1), for clients that read them part by part.

A client knows that a part is complete when it sees the delimiter behind it. So that is written with
the part, not before the next one, which may come much later.
"""

from __future__ import annotations

__all__ = ["MultipartBody"]


class MultipartBody:
    """Writes a body: ``opening``, parts, ``ending``."""

    __slots__ = ("ending", "opening")

    def __init__(self, boundary: str) -> None:
        self.opening = f"\r\n--{boundary}".encode()
        self.ending = b"--\r\n"

    def part(self, body: bytes) -> bytes:
        """Return a part of JSON, complete for who reads it."""
        return b"\r\ncontent-type: application/json\r\n\r\n" + body + self.opening
