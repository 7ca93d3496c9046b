"""From a topic's patterns and phrases to sentences; pure, driven by a given random source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from socialnet.demo.topics import Topic

_SLOT = re.compile(r"\{(\w+)(:c)?\}")
_TAGGED = 0.25
"""Share of the posts that end in a hashtag."""


def write_post(topic: Topic, rng: random.Random) -> str:
    """Return a post of one to three sentences about the topic."""
    text = fill(rng.choice(topic.patterns), topic, rng)
    return f"{text} #{topic.tag}" if rng.random() < _TAGGED else text


def fill(pattern: str, topic: Topic, rng: random.Random) -> str:
    """Replace each slot of a pattern by a phrase; no phrase stands twice in one text."""
    used: set[str] = set()

    def phrase(slot: re.Match[str]) -> str:
        candidates = [p for p in topic.phrases[slot[1]] if p not in used]
        chosen = rng.choice(candidates)
        used.add(chosen)
        return chosen[0].upper() + chosen[1:] if slot[2] else chosen

    return _SLOT.sub(phrase, pattern)
