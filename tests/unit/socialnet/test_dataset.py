"""The demo data: the same for a seed and an anchor, valid by the domains' own rules, readable."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

from shared.auth import check_password_rules
from shared.sharding import slot_for
from socialnet.demo.dataset import Dataset, make_dataset
from socialnet.demo.people import DEMO_LOGINS, DEMO_PASSWORD
from subgraphs.posts.service import values as post_values
from subgraphs.users.service import values as user_values

_ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def _dataset(slots: int = 256) -> Dataset:
    return make_dataset(_ANCHOR, slots=slots)


def test_same_seed_and_anchor_give_the_same_data() -> None:
    assert _dataset() == _dataset()
    assert _dataset() != make_dataset(_ANCHOR, slots=256, seed=1)


def test_there_are_200_users_and_1000_different_posts() -> None:
    dataset = _dataset()

    assert len(dataset.users) == 200
    assert len({user.id for user in dataset.users}) == 200
    assert len({user.person.handle for user in dataset.users}) == 200
    assert len(dataset.posts) == 1000
    assert len({post.id for post in dataset.posts}) == 1000
    assert len({post.text for post in dataset.posts}) == 1000


def test_leading_users_are_the_demo_logins() -> None:
    dataset = _dataset()

    assert tuple(user.person.email for user in dataset.users[:3]) == DEMO_LOGINS
    posts = Counter(post.author_id for post in dataset.posts)
    assert all(posts[user.id] >= 5 for user in dataset.users[:3])


def test_every_value_obeys_the_rules_of_its_domain() -> None:
    dataset = _dataset()

    for person in (user.person for user in dataset.users):
        assert user_values.email(person.email) == person.email
        assert user_values.handle(person.handle) == person.handle
        assert user_values.display_name(person.name) == person.name
        assert user_values.bio(person.bio) == person.bio
    for post in dataset.posts:
        assert post_values.post_text(post.text) == post.text
    check_password_rules(DEMO_PASSWORD)


def test_people_follow_each_other_as_in_real_networks_few_are_followed_by_many() -> None:
    dataset = _dataset()

    pairs = {(follow.follower_id, follow.followee_id) for follow in dataset.follows}
    assert 1000 < len(pairs) == len(dataset.follows) == len({f.id for f in dataset.follows})
    assert all(follower != followee for follower, followee in pairs)
    joined = {user.id: user.created_at for user in dataset.users}
    for follow in dataset.follows:
        both_are_there = max(joined[follow.follower_id], joined[follow.followee_id])
        assert both_are_there <= follow.created_at < _ANCHOR
    followers = Counter(followee for _, followee in pairs)
    most_followed = [number for _, number in followers.most_common(20)]
    assert sum(most_followed) > 0.25 * len(pairs)
    assert all(followers[user.id] > 20 for user in dataset.users[:3])
    assert all(any(user.id in pair for pair in pairs) for user in dataset.users)


def test_users_live_where_registration_would_put_them_and_posts_with_their_authors() -> None:
    dataset = _dataset(slots=64)

    for user in dataset.users:
        assert user.id.slot == slot_for(user.person.email, 64)
    for post in dataset.posts:
        assert post.id.slot == post.author_id.slot


def test_both_halves_of_the_slots_are_used() -> None:
    halves = Counter(user.id.slot < 128 for user in _dataset().users)

    assert min(halves.values()) > 70


def test_posts_follow_their_author_and_end_before_the_anchor() -> None:
    dataset = _dataset()
    joined = {user.id: user.created_at for user in dataset.users}

    assert all(joined[post.author_id] < post.created_at < _ANCHOR for post in dataset.posts)
    assert min(joined.values()) >= _ANCHOR - timedelta(days=90)


def test_ids_tell_the_time() -> None:
    dataset = _dataset()

    assert all(user.id.created_at == user.created_at for user in dataset.users)
    assert all(post.id.created_at == post.created_at for post in dataset.posts)


def test_texts_are_whole_sentences() -> None:
    for post in _dataset().posts:
        assert "{" not in post.text
        assert "}" not in post.text
        assert re.match(r"[A-Z0-9'\"]", post.text), post.text
        without_tag = re.sub(r" #\w+$", "", post.text)
        assert without_tag[-1] in ".?!\"'", post.text
        assert "  " not in post.text
