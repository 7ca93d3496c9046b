from __future__ import annotations

import re

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


@pytest.mark.parametrize(
    "token", ["a", "f" * 64, '{"endpoint":"https://push.example/x","keys":{"auth":"a=="}}']
)
def test_a_push_token_is_taken_as_it_is(token: str) -> None:
    assert values.push_token(token) == token


@pytest.mark.parametrize("text", ["+4930901820", "+49 30 901820", "+49 (30) 90.18-20"])
def test_one_number_has_one_form(text: str) -> None:
    assert values.phone(text) == "+4930901820"


@given(st.text(alphabet="+0123456789 ()-.a\u0661", max_size=40))
def test_any_text_is_a_phone_number_in_canonical_form_or_refused(text: str) -> None:
    try:
        canonical = values.phone(text)
    except BadUserInputError:
        return

    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", canonical)
    assert values.phone(canonical) == canonical
