"""Objects that are a string and rows: generated projection makes each of them once."""

from __future__ import annotations

from typing import Any

import pytest

from router.executor import ExecutionResult
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, execute_plan

SUPERGRAPH = PlainSupergraph(
    """
    type Query { posts: [Post!]! }
    type Post { id: ID! by: User! }
    type User { id: ID! name: String! nick: String }
    """
)


async def authors(
    by: list[Any], users: list[Any], *, inline: str = "id", shown: str = "id name"
) -> ExecutionResult:
    """Answer one post for each item of ``by``, and ``users`` for their ids."""
    plan = query_plan(
        fetch(0, "posts", f"{{ posts {{ by {{ {inline} }} }} }}"),
        fetch(1, "users", call("posts[].by", {"User": "id"}, "{ name }"), after=[0]),
    )
    return await execute_plan(
        SUPERGRAPH,
        f"{{ posts {{ by {{ {shown} }} }} }}",
        plan,
        {
            "posts": {"data": {"posts": [{"by": one} for one in by]}},
            "users": lambda payload: {"data": {"_entities": users[: _asked(payload)]}},
        },
    )


def _asked(payload: dict[str, Any]) -> int:
    (representations,) = payload["variables"].values()
    return len(representations)


def shown(result: ExecutionResult) -> list[Any]:
    assert result.data is not None
    return [post["by"] for post in result.data["posts"]]


async def test_the_same_reference_is_the_same_object() -> None:
    result = await authors([{"id": "1"}, {"id": "2"}, {"id": "1"}], [{"name": "A"}, {"name": "B"}])

    first, second, third = shown(result)
    assert first is third
    assert [first, second] == [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]


async def test_an_object_with_more_of_its_own_is_made_in_each_place() -> None:
    by = [{"id": "1", "nick": "x"}, {"id": "1", "nick": "y"}]
    result = await authors(by, [{"name": "A"}], inline="id nick", shown="nick name")

    assert shown(result) == [{"nick": "x", "name": "A"}, {"nick": "y", "name": "A"}]


async def test_ids_that_come_as_numbers_are_no_strings() -> None:
    result = await authors([{"id": 1}, {"id": 1}, {"id": "1"}], [{"name": "A"}, {"name": "B"}])

    assert shown(result) == [
        {"id": "1", "name": "A"},
        {"id": "1", "name": "A"},
        {"id": "1", "name": "B"},
    ]
    assert result.errors == []


@pytest.mark.parametrize("wrong", [True, ["1"], {"id": "1"}, 1.0])
async def test_what_is_no_id_is_an_error_also_beside_an_equal_one(wrong: Any) -> None:
    result = await authors([{"id": 1}, {"id": wrong}], [{"name": "A"}, {"name": "B"}])

    assert result.data is None
    assert [error["path"][:3] for error in result.errors][-1] == ["posts", 1, "by"]
