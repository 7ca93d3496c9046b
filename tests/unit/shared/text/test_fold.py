"""Folding names to search by."""

from __future__ import annotations

import pytest

from shared.text import folded_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Éva-Maria O’Neil", ["eva", "maria", "o", "neil"]),
        ("ＦＵＬＬ ｗｉｄｔｈ", ["full", "width"]),
        ("Straße ﬁn", ["strasse", "fin"]),
        ("İstanbul", ["istanbul"]),
        ("山田太郎", ["山田太郎"]),
        ("a_b", ["a", "b"]),
        ("👩‍💻 …", []),
        ("", []),
    ],
)
def test_words_are_folded(text: str, words: list[str]) -> None:
    assert folded_words(text) == words
