"""Compressed answers, honest and not."""

from __future__ import annotations

import gzip
import zlib

import pytest

from router.executor.transport import AnswerTooLargeError, UnreadableAnswerError
from router.executor.transport.encoding import content_encoding, decode_body

TEXT = b'{"data":{"n":1}}' * 10
PACKED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (PACKED, "gzip"),
        (PACKED, " X-GZIP "),
        (zlib.compress(TEXT), "deflate"),
        (gzip.compress(TEXT[:7], mtime=0) + gzip.compress(TEXT[7:], mtime=0), "gzip"),
    ],
)
def test_known_codings_are_undone(body: bytes, encoding: str) -> None:
    assert decode_body(body, encoding, len(TEXT)) == TEXT


def test_no_body_needs_no_coding() -> None:
    assert decode_body(b"", "gzip", 10) == b""


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, "gzip"),
        (PACKED[:-9], "gzip"),
        (PACKED + b"more", "gzip"),
        (gzip.compress(b"", mtime=0) * 1000, "gzip"),
        (PACKED, "br"),
        (gzip.compress(PACKED, mtime=0), "gzip, gzip"),
    ],
    ids=["not packed", "cut off", "more after it", "many members", "another coding", "twice"],
)
def test_what_cannot_be_undone_is_refused(body: bytes, encoding: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        decode_body(body, encoding, 10_000)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, mtime=0)
    with pytest.raises(AnswerTooLargeError):
        decode_body(bomb, "gzip", 1_000_000)


def test_repeated_headers_are_one_list_of_codings() -> None:
    headers = (("content-encoding", "gzip"), ("x", "y"), ("content-encoding", "br"))
    assert content_encoding(headers) == "gzip, br"
    assert content_encoding(()) == ""
