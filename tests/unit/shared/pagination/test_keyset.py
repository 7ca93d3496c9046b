"""Keyset cursors: typed, strict, and never a crash."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import BadUserInputError
from shared.pagination import KeyPart, Keyset, decode_cursor, encode_cursor
from shared.pagination.cursors import MAX_CURSOR_LENGTH

KEYSET = Keyset("posts", (KeyPart.INTEGER, KeyPart.TEXT, KeyPart.TIME, KeyPart.UUID))

keys = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
)
KEY = (5, "five", datetime(2025, 8, 19, 12, 30, 0, 123456, UTC), UUID(int=5))


def cursor_of(content: object) -> str:
    return urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


@given(keys)
def test_keys_and_cursors_round_trip(key: tuple[int, str, datetime, UUID]) -> None:
    cursor = KEYSET.encode(key)

    assert KEYSET.decode(cursor) == key
    assert KEYSET.encode(KEYSET.decode(cursor)) == cursor


@given(st.text())
@example("")
@example("=")
@example("A")
@example("AA==")
@example("W10")
def test_any_text_is_a_cursor_or_bad_input(text: str) -> None:
    try:
        key = KEYSET.decode(text)
    except BadUserInputError:
        return
    assert KEYSET.encode(key) == text


@given(st.binary())
@example(b"[" * 100_000)
@example(b'["posts",[1e400,"",0,""]]')
@example(b'["posts",\xff]')
def test_any_bytes_in_base64_are_a_cursor_or_bad_input(content: bytes) -> None:
    text = urlsafe_b64encode(content).rstrip(b"=").decode()
    try:
        key = KEYSET.decode(text)
    except BadUserInputError:
        return
    assert KEYSET.encode(key) == text


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(json, min_size=3, max_size=5))
def test_any_json_parts_are_a_key_or_bad_input(parts: list[Any]) -> None:
    try:
        cursor = cursor_of(["posts", parts])
    except orjson.JSONEncodeError:  # lone surrogates
        return
    try:
        key = KEYSET.decode(cursor)
    except BadUserInputError:
        return
    assert KEYSET.encode(key) == cursor


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([5, "five", 0], id="a part too few"),
        pytest.param([5, "five", 0, UUID(int=5).hex, 1], id="a part too many"),
        pytest.param({"0": 5}, id="no list"),
        pytest.param([5.0, "five", 0, UUID(int=5).hex], id="float for integer"),
        pytest.param([True, "five", 0, UUID(int=5).hex], id="boolean for integer"),
        pytest.param(["5", "five", 0, UUID(int=5).hex], id="text for integer"),
        pytest.param([2**63, "five", 0, UUID(int=5).hex], id="beyond bigint"),
        pytest.param([5, "fi\0ve", 0, UUID(int=5).hex], id="NUL in text"),
        pytest.param([5, None, 0, UUID(int=5).hex], id="null for text"),
        pytest.param([5, "five", 2**60, UUID(int=5).hex], id="beyond the year 9999"),
        pytest.param([5, "five", -(2**60), UUID(int=5).hex], id="before the year 1"),
        pytest.param([5, "five", 0, str(UUID(int=5))], id="UUID with hyphens"),
        pytest.param([5, "five", 0, "A" * 32], id="UUID in upper case"),
    ],
)
def test_parts_of_another_type_are_refused(parts: Any) -> None:
    with pytest.raises(BadUserInputError):
        KEYSET.decode(cursor_of(["posts", parts]))


def test_another_lists_cursor_is_refused() -> None:
    with pytest.raises(BadUserInputError) as raised:
        Keyset("comments", KEYSET.parts).decode(KEYSET.encode(KEY), field="before")

    assert raised.value.extensions == {"code": "BAD_USER_INPUT", "field": "before"}


def test_padding_spaces_and_other_spellings_are_refused() -> None:
    cursor = encode_cursor("posts", [1])
    spaced = urlsafe_b64encode(b'["posts", [1]]').rstrip(b"=").decode()

    assert decode_cursor("posts", cursor) == [1]
    for other in (cursor + "=", cursor + "\n", " " + cursor, cursor + "A", spaced):
        with pytest.raises(BadUserInputError):
            decode_cursor("posts", other)


def test_a_huge_cursor_is_refused_unread() -> None:
    with pytest.raises(BadUserInputError):
        decode_cursor("posts", "A" * (MAX_CURSOR_LENGTH + 1))


@given(st.lists(keys, min_size=2, max_size=2))
def test_cursors_keep_times_to_the_microsecond(pair: list[Any]) -> None:
    first, second = pair
    assert (KEYSET.encode(first) == KEYSET.encode(second)) == (first == second)
