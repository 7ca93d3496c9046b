"""What a post may say, and the tags in it."""

from __future__ import annotations

import re

from shared.text import clean_text

__all__ = ["post_text", "tags_of"]

MAX_TAGS = 30

# a word right after #, which itself does not stand inside a word, a link or an entity
_TAG = re.compile(r"(?<![\w#&/])#(\w{1,64})(?!\w)")


def post_text(text: str) -> str:
    """The canonical text of a post: 1 to 5 000 characters."""
    return clean_text(text, field="text", min_length=1, max_length=5000, multiline=True)


def tags_of(text: str) -> tuple[str, ...]:
    """The hashtags in a text: without #, in lower case, each once, in order, ``MAX_TAGS`` at most.

    Numbers alone are no tags ("we are #1").
    """
    words = (match[1].lower() for match in _TAG.finditer(text))
    tags = dict.fromkeys(word for word in words if not word.isdigit())
    return tuple(tags)[:MAX_TAGS]
