"""Content codings: choosing one for an answer, unpacking request bodies within their limit."""

from __future__ import annotations

import gzip
import zlib
from functools import partial

import pytest
from backports import zstd

from router.server.errors import RequestError, RequestErrorCode
from router.server.http.compression import Coding, choose_coding, compress, unpack

# Without the time, which would make another test name in every process.
gzipped = partial(gzip.compress, mtime=0)
LIMIT = 1_000
BOMB = b" " * 10_000_000


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        (None, None),
        (b"", None),
        (b"gzip", Coding.GZIP),
        (b"GZip ; Q=0.5", Coding.GZIP),
        (b"gzip, deflate, br, zstd", Coding.ZSTD),
        (b"gzip, zstd;q=0.9", Coding.GZIP),
        (b"gzip;q=0", None),
        (b"gzip;q=nonsense", None),
        (b"*", Coding.ZSTD),
        (b"*, zstd;q=0", Coding.GZIP),
        (b"identity, br", None),
    ],
)
def test_chooses_what_the_client_wants_most(
    accept_encoding: bytes | None, expected: Coding | None
) -> None:
    assert choose_coding(accept_encoding) is expected


@pytest.mark.parametrize("size", [100, 1_000_000])
async def test_what_is_compressed_can_be_unpacked(size: int) -> None:
    body = b"ab" * size

    for coding in Coding:
        packed = await compress(body, coding)
        assert len(packed) < len(body)
        assert unpack(packed, coding.value, len(body)) == body


@pytest.mark.parametrize("coding", [b"", b"identity"])
def test_a_body_without_a_coding_stays_as_it_is(coding: bytes) -> None:
    assert unpack(b"abc", coding, LIMIT) == b"abc"


def test_a_body_may_be_as_large_as_the_limit() -> None:
    body = b"x" * LIMIT

    assert unpack(gzipped(body), b"GZIP", LIMIT) == body


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzipped(b"x" * (LIMIT + 1)), b"gzip"),
        (gzipped(BOMB), b"gzip"),
        (zstd.compress(BOMB), b"zstd"),
    ],
)
def test_a_body_that_unpacks_to_too_much_is_too_large(body: bytes, coding: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        unpack(body, coding, LIMIT)

    assert caught.value.code == RequestErrorCode.PAYLOAD_TOO_LARGE
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"", b"gzip"),
        (b"no gzip", b"gzip"),
        (gzipped(b"abc")[:-1], b"gzip"),
        (gzipped(b"abc") + b"more", b"gzip"),
        (zlib.compress(b"abc"), b"gzip"),
        (b"", b"zstd"),
        (b"no zstd", b"zstd"),
        (zstd.compress(b"abc" * 100)[:-3], b"zstd"),
        (zstd.compress(b"abc") + b"more", b"zstd"),
    ],
)
def test_a_damaged_body_is_a_bad_request(body: bytes, coding: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        unpack(body, coding, LIMIT)

    assert caught.value.code == RequestErrorCode.BAD_REQUEST


def test_a_window_larger_than_browsers_allow_is_refused() -> None:
    packed = zstd.compress(
        b"x" * 100,
        options={
            zstd.CompressionParameter.window_log: 27,
            zstd.CompressionParameter.content_size_flag: 0,
        },
    )
    stream = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    streamed = stream.compress(b"x" * 100) + stream.flush()

    assert unpack(packed, b"zstd", LIMIT) == b"x" * 100  # the window is no larger than the content
    with pytest.raises(RequestError) as caught:
        unpack(streamed, b"zstd", LIMIT)
    assert caught.value.code == RequestErrorCode.BAD_REQUEST


@pytest.mark.parametrize("coding", [b"br", b"deflate", b"gzip, gzip", b"nonsense"])
def test_another_coding_is_415_and_says_what_is_taken(coding: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        unpack(b"abc", coding, LIMIT)

    assert caught.value.status == 415
    assert caught.value.headers == ((b"accept-encoding", b"gzip, zstd"),)
