from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadUserInputError
from subgraphs.users.service import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("ada@BÜCHER.example.com", "ada@bücher.example.com"),
        ("ada@xn--bcher-kva.example.com", "ada@bücher.example.com"),
    ],
)
def test_one_address_has_one_form(text: str, expected: str) -> None:
    assert values.email(text) == expected


@given(st.text(max_size=80))
def test_any_text_is_an_email_in_canonical_form_or_refused(text: str) -> None:
    try:
        canonical = values.email(text)
    except BadUserInputError:
        return

    assert values.email(canonical) == canonical


@given(st.text(max_size=40))
def test_any_text_is_a_handle_in_canonical_form_or_refused(text: str) -> None:
    try:
        canonical = values.handle(text)
    except BadUserInputError:
        return

    assert canonical.isascii()
    assert 3 <= len(canonical) <= 30
    assert values.handle(canonical) == canonical


__all__ = ["bio", "display_name", "email", "handle", "nickname", "phone", "push_token"]
