"""What operations cost, asserted: fetches per subgraph and statements per shard."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import System
from tests.e2e.people import Person, ask, new_person, signed_in

POSTS = "query ($ids: [ID!]!) { posts(ids: $ids) { id author { handle } } }"


def _statements(answer: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    subgraphs = answer["extensions"]["subgraphs"]
    return {name: [part["sql"] for part in parts] for name, parts in subgraphs.items()}


async def _posts_of_a_hundred_authors(system: System, ada: Person) -> list[str]:
    after: str | None = None
    posts: list[str] = []
    while len(posts) < 100:
        page = (await ada.client.all_users(first=100, after=after)).all_users
        after = page.page_info.end_cursor
        query = "query ($ids: [ID!]!) { users(ids: $ids) { posts(first: 1) { nodes { id } } } }"
        answer = await ask(system, query, {"ids": [node.id for node in page.nodes]}, ada.token)
        for user in answer["data"]["users"]:
            posts.extend(node["id"] for node in user["posts"]["nodes"])
    return posts[:100]


async def test_a_hundred_posts_of_a_hundred_authors_cost_one_statement_per_shard_and_subgraph(
    system: System,
) -> None:
    async with signed_in(system) as ada:
        ids = await _posts_of_a_hundred_authors(system, ada)

        answer = await ask(system, POSTS, {"ids": ids}, ada.token)

    assert "errors" not in answer
    assert [post["id"] for post in answer["data"]["posts"]] == ids
    assert len({post["author"]["handle"] for post in answer["data"]["posts"]}) == 100
    assert _statements(answer) == {
        "posts": [{"statements": 2, "shards": {"shard-0": 1, "shard-1": 1}}],
        "users": [{"statements": 2, "shards": {"shard-0": 1, "shard-1": 1}}],
    }
    assert [fetch["subgraph"] for fetch in answer["extensions"]["fetches"]] == ["posts", "users"]


async def test_a_malformed_id_is_refused_without_a_statement(system: System) -> None:
    async with new_person(system) as person:
        for bad in ("", "x", "1", "256-" + "0" * 32, "01-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f"):
            answer = await ask(
                system, "query ($id: ID!) { user(id: $id) { id } }", {"id": bad}, person.token
            )

            (error,) = answer["errors"]
            assert (error["path"], error["extensions"]["code"]) == (["user"], "BAD_USER_INPUT")
            assert error["extensions"]["field"] == "id"
            assert [sql["statements"] for sql in _statements(answer)["users"]] == [0]


async def test_me_costs_one_statement(system: System) -> None:
    async with new_person(system) as person:
        answer = await ask(system, "{ me { handle } }", token=person.token)

        assert [sql["statements"] for sql in _statements(answer)["users"]] == [1]
