"""Content codings of answers: undone within the limit for answers.

An answer is decoded whether or not a coding was offered: some servers compress all the same.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from router.executor.transport.base import AnswerTooLargeError, UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ACCEPT_ENCODING", "content_encoding", "decode_body"]

ACCEPT_ENCODING: Final = "gzip"
_IDENTITY: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS  # zlib finds out which of the two it is
_MAX_MEMBERS: Final = 16  # of a gzip file; each costs a copy of the rest
_UNREADABLE: Final = "The subgraph's answer has an encoding that was not asked for."
_CORRUPT: Final = "The subgraph's compressed answer is damaged."


def content_encoding(headers: Iterable[tuple[str, str]]) -> str:
    """Return the content coding that headers with lower-case names tell, empty for none."""
    return ", ".join(value for name, value in headers if name == "content-encoding")


def decode_body(body: bytes, encoding: str, limit: int) -> bytes:
    """Return ``body`` without its content coding, at most ``limit`` bytes.

    Raises AnswerTooLargeError before more than that has been unpacked, UnreadableAnswerError for
    what is damaged or in another coding than gzip or deflate (RFC 9110, section 8.4.1).
    """
    coding = encoding.strip().lower()
    if coding in _IDENTITY or not body:
        return body
    if coding not in _GZIP and coding != "deflate":
        raise UnreadableAnswerError(_UNREADABLE)
    unpacked = bytearray()
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            unpacked += stream.decompress(body, limit + 1 - len(unpacked))
        except zlib.error:
            raise UnreadableAnswerError(_CORRUPT) from None
        if len(unpacked) > limit:
            raise AnswerTooLargeError
        if not stream.eof:
            raise UnreadableAnswerError(_CORRUPT)
        body = stream.unused_data
        if not body:
            return bytes(unpacked)
    raise UnreadableAnswerError(_CORRUPT)
