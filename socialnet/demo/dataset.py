"""The demo data as values: users, posts and follows, with IDs and times. Pure, deterministic.

Times lie in the 90 days before an anchor; IDs are UUIDv7 of those times, so lists that sort by ID
sort as they would have with real traffic. A user lives in the slot of the e-mail, as at a real
registration, and a post in its author's slot.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.sharding import EntityId, Slot, slot_for
from shared.sharding.uuid7 import make_uuid7
from socialnet.demo.people import Person, invent_people
from socialnet.demo.texts import write_post

if TYPE_CHECKING:
    from uuid import UUID

DEFAULT_SEED: Final = 20_240_229
DEFAULT_USERS: Final = 200
DEFAULT_POSTS: Final = 1_000
_PERIOD = timedelta(days=90)
_JOINING = timedelta(days=45)
_RANDOM_BITS = 74
_FEWEST_FOLLOWED = 4
_MOST_FOLLOWED = 60
_SHARED_INTEREST = 4  # as many times likelier


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """A user to be written."""

    id: EntityId
    person: Person
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPost:
    """A post to be written."""

    id: EntityId
    author_id: EntityId
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFollow:
    """A follow to be written, once for each of the two users."""

    id: UUID
    follower_id: EntityId
    followee_id: EntityId
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All of it, users in order of joining up to the leading ones, posts and follows in order of
    time.
    """

    users: tuple[DemoUser, ...]
    posts: tuple[DemoPost, ...]
    follows: tuple[DemoFollow, ...]


def make_dataset(
    anchor: datetime,
    *,
    slots: int,
    users: int = DEFAULT_USERS,
    posts: int = DEFAULT_POSTS,
    seed: int = DEFAULT_SEED,
) -> Dataset:
    """Return the demo data whose newest post is a little older than `anchor` (UTC)."""
    rng = random.Random(seed)  # noqa: S311 - the same data again is what we want
    start = anchor - _PERIOD
    made_users = tuple(
        _make_user(person, start, slots, rng) for person in invent_people(users, rng)
    )
    return Dataset(
        users=made_users,
        posts=_make_posts(made_users, anchor, posts, rng),
        follows=_make_follows(made_users, anchor, rng),
    )


def _make_user(person: Person, start: datetime, slots: int, rng: random.Random) -> DemoUser:
    created_at = _between(start, start + _JOINING, rng)
    entity_id = _make_id(slot_for(person.email, slots), created_at, rng)
    return DemoUser(id=entity_id, person=person, created_at=created_at)


def _make_posts(
    users: tuple[DemoUser, ...], anchor: datetime, count: int, rng: random.Random
) -> tuple[DemoPost, ...]:
    authors = rng.choices(users, [user.person.liveliness for user in users], k=count)
    seen: set[str] = set()
    posts = []
    for author in authors:
        created_at = _between(author.created_at + timedelta(hours=1), anchor, rng)
        posts.append(
            DemoPost(
                id=_make_id(author.id.slot, created_at, rng),
                author_id=author.id,
                text=_new_text(author.person, seen, rng),
                created_at=created_at,
            )
        )
    return tuple(sorted(posts, key=lambda post: post.created_at))


def _make_follows(
    users: tuple[DemoUser, ...], anchor: datetime, rng: random.Random
) -> tuple[DemoFollow, ...]:
    """Skewed as in real networks: few have many followers, and few follow many. The lively are
    followed most, above all by those who share an interest.
    """
    follows = [
        _make_follow(follower, followee, anchor, rng)
        for follower in users
        for followee in _choose_followees(follower, users, rng)
    ]
    return tuple(sorted(follows, key=lambda follow: follow.id))


def _choose_followees(
    follower: DemoUser, users: tuple[DemoUser, ...], rng: random.Random
) -> list[DemoUser]:
    count = min(int(_FEWEST_FOLLOWED * rng.paretovariate(1.2)), _MOST_FOLLOWED)
    interests = set(follower.person.interests)
    weights = [
        user.person.liveliness * (_SHARED_INTEREST if interests & set(user.person.interests) else 1)
        for user in users
    ]
    drawn = dict.fromkeys(rng.choices(users, weights, k=count))
    drawn.pop(follower, None)
    return list(drawn)


def _make_follow(
    follower: DemoUser, followee: DemoUser, anchor: datetime, rng: random.Random
) -> DemoFollow:
    joined = max(follower.created_at, followee.created_at)
    created_at = _between(joined, anchor, rng)
    return DemoFollow(
        id=_make_id(follower.id.slot, created_at, rng).uuid,
        follower_id=follower.id,
        followee_id=followee.id,
        created_at=created_at,
    )


def _new_text(person: Person, seen: set[str], rng: random.Random) -> str:
    """A text that nobody has posted yet; from a large number on repetitions are accepted."""
    text = write_post(rng.choice(person.interests), rng)
    for _ in range(20):
        if text not in seen:
            break
        text = write_post(rng.choice(person.interests), rng)
    seen.add(text)
    return text


def _make_id(slot: Slot, created_at: datetime, rng: random.Random) -> EntityId:
    milliseconds = int(created_at.timestamp() * 1000)
    return EntityId(
        slot, make_uuid7(milliseconds=milliseconds, random=rng.getrandbits(_RANDOM_BITS))
    )


def _between(start: datetime, end: datetime, rng: random.Random) -> datetime:
    """A moment in between, to the millisecond, which is as fine as an ID tells."""
    milliseconds = int((end - start) / timedelta(milliseconds=1))
    moment = start + timedelta(milliseconds=rng.randrange(milliseconds))
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
