"""The whole system as a newcomer sees it: GraphiQL, two subgraphs, two shards, live posts.

With ``SOCIALNET_SCREENSHOTS=<folder>`` the pictures that the documentation shows are written there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

import httpx
import pytest

from tests.support.browser_page import Page
from tests.support.graphiql_page import GraphiQL

pytestmark = pytest.mark.browser

SLOTS: Final = 256  # the default; the two shards have one half each at first
MOST_USERS: Final = 24  # all on one half: once in eight million runs

REGISTER: Final = """
mutation Register($input: RegisterInput!) {
  register(input: $input) { accessToken user { id handle } }
}
"""
CREATE_POST: Final = """
mutation CreatePost($input: CreatePostInput!) { createPost(input: $input) { id } }
"""
TWO_SHARDS: Final = """query PeopleOnTwoShards {{
  users(ids: ["{first}", "{second}"]) {{
    handle
    displayName
    posts(first: 1) {{
      nodes {{ text author {{ handle }} }}
    }}
  }}
}}
"""
LIVE: Final = """subscription LivePosts {{
  postPublished(authorId: "{author}") {{
    text
    author {{ handle displayName }}
  }}
}}
"""


class System(Protocol):
    """The running system, as the fixture ``system`` gives it."""

    @property
    def base_url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    handle: str
    token: str

    @property
    def half(self) -> int:
        """Which half of the slots, and so which shard, the user lives on."""
        return int(self.id.partition("-")[0]) // (SLOTS // 2)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


class Api:
    """The API over HTTP, for what is not done in the browser."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    async def execute(self, query: str, variables: object, person: Person | None = None) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            response = await client.post(
                self.endpoint,
                json={"query": query, "variables": variables},
                headers=person.headers if person else {},
            )
        body = response.json()
        assert "errors" not in body, body
        return body["data"]

    async def register(self, name: str) -> Person:
        unique = uuid4().hex[:12]
        data = await self.execute(
            REGISTER,
            {
                "input": {
                    "email": f"{unique}@example.com",
                    "password": f"correct horse {unique}",
                    "handle": f"{name.lower()}_{unique}",
                    "displayName": name,
                }
            },
        )
        user = data["register"]["user"]
        return Person(user["id"], user["handle"], data["register"]["accessToken"])

    async def register_on_both_shards(self) -> tuple[Person, Person]:
        first = await self.register("Ada")
        for _ in range(MOST_USERS):
            second = await self.register("Grace")
            if second.half != first.half:
                return first, second
        raise AssertionError(f"{MOST_USERS + 1} users and all of them on one shard")

    async def publish(self, person: Person, text: str) -> None:
        await self.execute(CREATE_POST, {"input": {"text": text}}, person)


@pytest.fixture
def api(system: System) -> Api:
    return Api(f"{system.base_url}/graphql")


@pytest.fixture
def graphiql(api: Api, page: Page) -> GraphiQL:
    return GraphiQL(page, api.endpoint)


async def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SOCIALNET_SCREENSHOTS"):
        await page.screenshot(Path(folder) / f"{name}.png")


async def test_graphiql_runs_a_query_over_both_subgraphs_and_both_shards(
    api: Api, graphiql: GraphiQL
) -> None:
    ada, grace = await api.register_on_both_shards()
    await api.publish(ada, "Hello from one shard")
    await api.publish(grace, "and from the other")
    await graphiql.open(query=TWO_SHARDS.format(first=ada.id, second=grace.id))
    await graphiql.write_headers(ada.headers | {"x-router-debug": "1"})

    await graphiql.press_execute()

    result = await graphiql.result(containing="and from the other")
    assert "Hello from one shard" in result
    assert ada.handle in result
    assert grace.handle in result
    assert '"errors"' not in result
    subgraphs = await graphiql.page.evaluate(
        "[...document.querySelectorAll('.plan-panel tr[data-subgraph]')]"
        ".map((row) => row.dataset.subgraph)"
    )
    assert set(subgraphs) == {"users", "posts"}
    graphiql.assert_undisturbed()
    await picture(graphiql.page, "graphiql-query")


async def test_graphiql_shows_a_post_as_it_is_published(api: Api, graphiql: GraphiQL) -> None:
    ada = await api.register("Ada")
    await graphiql.open(query=LIVE.format(author=ada.id))
    await graphiql.write_headers(ada.headers | {"x-router-debug": "1"})
    await graphiql.press_execute()
    await graphiql.page.wait_for_log(
        lambda log: any(message["type"] == "subscribe" for message in log.sent)
    )

    # The subscription has no first event that would say it is there: publish until one arrives.
    shown = False
    for number in range(1, 21):
        await api.publish(ada, f"Live, number {number}")
        shown = await arrives(graphiql)
        if shown:
            break

    assert shown
    assert ada.handle in await graphiql.result(containing="Live, number")
    graphiql.assert_undisturbed()
    await picture(graphiql.page, "graphiql-subscription")


async def arrives(graphiql: GraphiQL, seconds: float = 1.0) -> bool:
    """Whether an event comes within the time."""
    try:
        await graphiql.page.wait_for_log(
            lambda log: any(message["type"] == "next" for message in log.received), seconds
        )
    except TimeoutError:
        return False
    return True
