from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadUserInputError
from shared.text import clean_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Ada  ", "Ada"),
        ("Jose\u0301", "José"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("می‌خواهم", "می‌خواهم"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
    ],
)
def test_text_is_made_canonical(value: str, expected: str) -> None:
    assert clean_text(value, field="text", max_length=50, multiline=True) == expected


@pytest.mark.parametrize(
    "value",
    ["a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "a\ud800b"],
)
def test_harmful_characters_are_refused(value: str) -> None:
    with pytest.raises(BadUserInputError) as refused:
        clean_text(value, field="text", max_length=50, multiline=True)

    assert refused.value.extensions == {"code": "BAD_USER_INPUT", "field": "text"}


@pytest.mark.parametrize("value", ["two\nlines", "a\tb"])
def test_one_line_is_one_line(value: str) -> None:
    with pytest.raises(BadUserInputError):
        clean_text(value, field="name", max_length=50)


def test_lengths_are_counted_after_cleaning() -> None:
    assert clean_text(" abc ", field="x", min_length=3, max_length=3) == "abc"
    for value in ("ab ", "abcd", "a" * 1_000_000):
        with pytest.raises(BadUserInputError):
            clean_text(value, field="x", min_length=3, max_length=3)


@given(st.text(max_size=60))
def test_clean_text_is_a_fixed_point_and_safe_for_postgresql(value: str) -> None:
    try:
        cleaned = clean_text(value, field="x", max_length=40, multiline=True)
    except BadUserInputError:
        return

    assert clean_text(cleaned, field="x", max_length=40, multiline=True) == cleaned
    assert len(cleaned) <= 40
    assert "\x00" not in cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode()


def test_what_nobody_can_see_is_left_out_and_what_joins_stays() -> None:
    assert clean_text("\ufeffa\u200bb\u00ad\u2060", field="x", max_length=9) == "ab"
    assert (
        clean_text("👩\u200d👧 می\u200cروم", field="x", max_length=20) == "👩\u200d👧 می\u200cروم"
    )


@pytest.mark.parametrize(
    "value", ["\u200b", "\u200d", "\u3164", "\u2800 \u115f", "\u0301", "\U000e0041"]
)
def test_text_that_must_not_be_empty_has_something_to_see(value: str) -> None:
    with pytest.raises(BadUserInputError):
        clean_text(value, field="x", min_length=1, max_length=9)
    assert clean_text(value, field="x", max_length=9) in {value, ""}
