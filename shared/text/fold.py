"""Text as it is searched for: without case, accents and punctuation."""

from __future__ import annotations

import unicodedata

__all__ = ["folded_words"]


def folded_words(text: str) -> list[str]:
    """The words of ``text`` in the form in which they are compared: ``"Éva-Maria O’Neil"`` ->
    ``["eva", "maria", "o", "neil"]``.

    Compatibility decomposition takes marks off letters and makes full-width and stylised letters
    plain (Unicode Standard Annex 15, NFKD); what is neither letter nor digit ends a word. Scripts
    without spaces give one word.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = (
        character if character.isalnum() else "" if unicodedata.combining(character) else " "
        for character in decomposed
    )
    return "".join(letters).split()
