"""Writes demo data to the shards of the users and posts domains.

This is the one place that writes other packages' tables directly: it stands at the composition
root, where nothing serves yet, and 1 200 registrations and posts through the services would take
minutes of password hashing. No events are written, since nobody is to be notified.

Each domain is one transaction per shard, and every row that is there already is left alone; so a
load that was interrupted is finished by repeating it with the same dataset.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import NullPool, Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine

from shared.sharding import slot_for
from shared.sharding.identities import ReservationState
from socialnet.demo.people import DEMO_LOGINS
from subgraphs.posts.service.values import tags_of
from subgraphs.posts.tables import PostVisibility, author_counters, posts
from subgraphs.users.repository import search_name
from subgraphs.users.tables import AccountStatus, identities, users
from subgraphs.users.tables import followers as followers_table
from subgraphs.users.tables import following as following_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.sharding import ShardConfig, ShardId, Topology
    from socialnet.demo.dataset import Dataset, DemoFollow, DemoPost, DemoUser

Row: TypeAlias = dict[str, Any]  # by column; bound as statement parameters

ADMIN_SCOPES = ("users:admin", "ops:read")
"""What the first demo login may do beyond an ordinary user."""
_ADMIN_EMAIL = DEMO_LOGINS[0]


async def load_dataset(
    dataset: Dataset, *, users_topology: Topology, posts_topology: Topology, password_hash: str
) -> None:
    """Write the dataset; users, their identities and follows first, then posts and their counters.

    Args:
        dataset: What to write.
        users_topology: Shards of the users domain.
        posts_topology: Shards of the posts domain.
        password_hash: One argon2 hash, stored for every user.
    """
    slots = users_topology.slots
    following = Counter(follow.follower_id for follow in dataset.follows)
    followers = Counter(follow.followee_id for follow in dataset.follows)
    user_rows = [
        _user_row(user, password_hash)
        | {"following_count": following[user.id], "follower_count": followers[user.id]}
        for user in dataset.users
    ]
    identity_rows = [row for user in dataset.users for row in _identity_rows(user, slots)]
    await _insert(
        users_topology,
        {
            users: user_rows,
            identities: identity_rows,
            following_table: [_following_row(follow) for follow in dataset.follows],
            followers_table: [_follower_row(follow) for follow in dataset.follows],
        },
    )
    post_rows = [_post_row(post) for post in dataset.posts]
    await _insert(posts_topology, {posts: post_rows, author_counters: _counter_rows(dataset.posts)})


async def _insert(topology: Topology, tables: Mapping[Table, Sequence[Row]]) -> None:
    by_shard: defaultdict[ShardId, dict[Table, list[Row]]] = defaultdict(dict)
    for table, rows in tables.items():
        for shard, its_rows in _group(topology, rows).items():
            by_shard[shard][table] = its_rows
    await asyncio.gather(
        *(_insert_on(topology.shard(shard), rows) for shard, rows in by_shard.items())
    )


def _group(topology: Topology, rows: Iterable[Row]) -> Mapping[ShardId, list[Row]]:
    groups: defaultdict[ShardId, list[Row]] = defaultdict(list)
    for row in rows:
        groups[topology.shard_of(row["slot"])].append(row)
    return groups


async def _insert_on(shard: ShardConfig, tables: Mapping[Table, Sequence[Row]]) -> None:
    engine = create_async_engine(shard.primary, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            for table, rows in tables.items():
                await connection.execute(insert(table).on_conflict_do_nothing(), rows)
    finally:
        await engine.dispose()


def _user_row(user: DemoUser, password_hash: str) -> Row:
    person = user.person
    return {
        "slot": user.id.slot,
        "id": user.id.uuid,
        "email": person.email,
        "handle": person.handle,
        "display_name": person.name,
        "search_name": search_name(person.name),
        "bio": person.bio,
        "password_hash": password_hash,
        "status": AccountStatus.ACTIVE,
        "scopes": list(ADMIN_SCOPES) if person.email == _ADMIN_EMAIL else [],
        "created_at": user.created_at,
        "updated_at": user.created_at,
    }


def _identity_rows(user: DemoUser, slots: int) -> list[Row]:
    return [
        {
            "slot": slot_for(value, slots),
            "kind": kind,
            "value": value,
            "state": ReservationState.CONFIRMED,
            "claimant": uuid5(NAMESPACE_URL, f"demo:{user.id}"),
            "owner_slot": user.id.slot,
            "owner_id": user.id.uuid,
            "expires_at": user.created_at,
            "created_at": user.created_at,
        }
        for kind, value in (("email", user.person.email), ("handle", user.person.handle))
    ]


def _following_row(follow: DemoFollow) -> Row:
    return {
        "slot": follow.follower_id.slot,
        "follower_id": follow.follower_id.uuid,
        "followee_slot": follow.followee_id.slot,
        "followee_id": follow.followee_id.uuid,
        "id": follow.id,
        "created_at": follow.created_at,
    }


def _follower_row(follow: DemoFollow) -> Row:
    return {
        "slot": follow.followee_id.slot,
        "followee_id": follow.followee_id.uuid,
        "follower_slot": follow.follower_id.slot,
        "follower_id": follow.follower_id.uuid,
        "id": follow.id,
        "created_at": follow.created_at,
    }


def _post_row(post: DemoPost) -> Row:
    return {
        "slot": post.id.slot,
        "id": post.id.uuid,
        "author_id": post.author_id.uuid,
        "text": post.text,
        "visibility": PostVisibility.PUBLIC,
        "tags": list(tags_of(post.text)),
        "created_at": post.created_at,
    }


def _counter_rows(dataset_posts: Iterable[DemoPost]) -> list[Row]:
    counts = Counter(post.author_id for post in dataset_posts)
    return [
        {"slot": author.slot, "id": author.uuid, "post_count": count}
        for author, count in counts.items()
    ]
