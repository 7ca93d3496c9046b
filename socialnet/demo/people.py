"""Invented people: names, handles and biographies for the demo data."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import yaml

from socialnet.demo.topics import read_topics

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from socialnet.demo.topics import Topic

DEMO_PASSWORD: Final = "welcome-to-socialnet"  # noqa: S105 - documented, for demo users only
"""The password of every demo user."""
DEMO_LOGINS: Final = ("ada@example.com", "bruno@example.com", "chioma@example.com")
"""E-mail addresses to begin with; their posts are the liveliest."""


_LEADING_LIVELINESS = 12.0
_MOST_LIVELINESS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is not in the database yet. `liveliness` weighs how much they write."""

    name: str
    handle: str
    email: str
    bio: str
    interests: tuple[Topic, ...]
    liveliness: float


def invent_people(count: int, rng: random.Random) -> tuple[Person, ...]:
    """Return `count` different people, those of `DEMO_LOGINS` first."""
    people = []
    for number, name in zip(range(count), _names(rng), strict=False):
        leading = number < len(DEMO_LOGINS)
        handle = _ascii(name.split()[0] if leading else name.replace(" ", "_"))
        interests = tuple(rng.sample(read_topics(), k=rng.choice((1, 2, 2, 3))))
        people.append(
            Person(
                name=name,
                handle=handle,
                email=f"{handle.replace('_', '.')}@example.com",
                bio=_bio(interests, rng),
                interests=interests,
                liveliness=_LEADING_LIVELINESS
                if leading
                else min(rng.paretovariate(1.3), _MOST_LIVELINESS),
            )
        )
    return tuple(people)


def _names(rng: random.Random) -> Iterator[str]:
    words = _read_words()
    yield from words.leading
    last_names = words.last_names.split()
    every = [f"{first} {last}" for first in words.first_names.split() for last in last_names]
    rng.shuffle(every)
    yield from every


def _bio(interests: tuple[Topic, ...], rng: random.Random) -> str:
    words = _read_words()
    occupation = rng.choice(words.occupations).capitalize()
    sentences = [f"{occupation} {rng.choice(words.places)}."]
    sentences += [f"Into {topic.interest}." for topic in interests[:1]]
    sentences += [f"Also: {topic.interest}." for topic in interests[1:2]]
    sentences += [rng.choice(words.closings)]
    return " ".join(filter(None, sentences))


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Content of `people.yaml`."""

    leading: Sequence[str]
    first_names: str
    last_names: str
    occupations: Sequence[str]
    places: Sequence[str]
    closings: Sequence[str]


@cache
def _read_words() -> _Words:
    text = resources.files(__package__).joinpath("people.yaml").read_text("utf-8")
    return _Words(**yaml.safe_load(text))
