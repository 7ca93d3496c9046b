"""Subscriptions, the whole way: opened in one subgraph, every event completed by another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tests.federation.harness import DataSubgraph, subscribe

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", '
    'import: ["@key", "@external", "@requires"])\n'
)


async def posted(_: Any, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    for number in range(arguments["count"]):
        yield {"id": str(number), "likes": number, "author": {"id": f"u{number % 2}"}}


def subgraphs() -> list[DataSubgraph]:
    posts = DataSubgraph(
        "posts",
        LINK
        + """
        type Query { post: Post }
        type Subscription { posted(count: Int!): Post }
        type Post @key(fields: "id") { id: ID! likes: Int author: User }
        type User @key(fields: "id") { id: ID! }
        """,
        resolvers={"Subscription.posted": posted},
    )
    users = DataSubgraph(
        "users",
        LINK
        + """
        type Query { me: User }
        type User @key(fields: "id") { id: ID! name: String! }
        type Post @key(fields: "id") {
          id: ID! likes: Int @external popular: Boolean @requires(fields: "likes")
        }
        """,
        entities={
            "User": [{"id": "u0", "name": "Ann"}, {"id": "u1", "name": "Bob"}],
            "Post": [{"id": str(number)} for number in range(3)],
        },
        resolvers={"Post.popular": lambda post, _: post["likes"] > 1},
    )
    return [posts, users]


async def test_every_event_is_completed_by_the_other_subgraph() -> None:
    posts, users = subgraphs()
    query = "subscription($n: Int!) { p: posted(count: $n) { popular author { name } } }"

    results = [result async for result in subscribe([posts, users], query, {"n": 3})]

    assert [result.errors for result in results] == [[], [], []]
    assert [result.data for result in results] == [
        {"p": {"popular": False, "author": {"name": "Ann"}}},
        {"p": {"popular": False, "author": {"name": "Bob"}}},
        {"p": {"popular": True, "author": {"name": "Ann"}}},
    ]
    assert len(posts.requests) == 1
    assert len(users.requests) == 3
