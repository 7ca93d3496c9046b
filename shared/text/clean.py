"""One way to take in text, for names, biographies, posts and messages.

Text is stored in Unicode's composed form (NFC), without white space at its ends, and never with
characters that a database, a log or a screen would stumble over: NUL and other control characters,
lone surrogates, and the bidirectional overrides that make text read differently from what it says.
Characters that nobody can see are left out, so that two texts that look the same mostly are; those
that join letters and emoji stay.
"""

from __future__ import annotations

import unicodedata

from shared.errors import BadUserInputError

__all__ = ["clean_text"]

# U+202A-U+202E and U+2066-U+2069: explicit bidirectional embeddings, overrides and isolates
_BIDIRECTIONAL = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# soft hyphen, grapheme joiner, Mongolian separator, zero width space, word joiner and invisible
# operators, byte order mark
_LEFT_OUT = dict.fromkeys((0x00AD, 0x034F, 0x180E, 0x200B, *range(0x2060, 0x2065), 0xFEFF))
# letters by category that have no ink: the Hangul fillers, and the Braille blank
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_LINE_WHITESPACE = frozenset("\n\t")
# Cc control, Cs surrogate, Zl and Zp separators; Cf (joiners in emoji and scripts) is fine
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def clean_text(
    value: str, *, field: str, max_length: int, min_length: int = 0, multiline: bool = False
) -> str:
    """The canonical form of ``value``; lengths are in code points, after cleaning.

    ``multiline`` allows line breaks and tabs; CRLF and CR become LF.

    Raises:
        BadUserInputError: too short, too long, or with characters that text must not have.
    """
    # before normalising, which costs time in proportion: composing at most shortens typed text
    if len(value) > 4 * max_length + 16:
        raise _too_long(field, max_length)
    unified = value.replace("\r\n", "\n").replace("\r", "\n").translate(_LEFT_OUT)
    text = unicodedata.normalize("NFC", unified).strip()
    if any(_is_refused(character, multiline=multiline) for character in text):
        raise BadUserInputError(f"{field} has characters that are not allowed.", field=field)
    if len(text) < min_length or (min_length and not any(map(_is_visible, text))):
        wanted = (
            "must not be empty" if min_length == 1 else f"needs {min_length} characters or more"
        )
        raise BadUserInputError(f"{field} {wanted}.", field=field)
    if len(text) > max_length:
        raise _too_long(field, max_length)
    return text


def _is_refused(character: str, *, multiline: bool) -> bool:
    if multiline and character in _LINE_WHITESPACE:
        return False
    return character in _BIDIRECTIONAL or unicodedata.category(character) in _REFUSED_CATEGORIES


def _is_visible(character: str) -> bool:
    # not by themselves: joiners and marks that change the character before, and white space
    return character not in _BLANK and unicodedata.category(character)[0] not in "CMZ"


def _too_long(field: str, max_length: int) -> BadUserInputError:
    return BadUserInputError(f"{field} may have at most {max_length} characters.", field=field)
