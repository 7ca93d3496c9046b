"""The first thing a newcomer does, in both modes: log in, and ask both subgraphs."""

from __future__ import annotations

from typing import Any

import httpx

from tests.e2e.conftest import System

_LOG_IN = """
mutation ($email: String!, $password: String!) {
  login(input: {email: $email, password: $password}) { accessToken user { id handle } }
}
"""
_ME = "{ me { id handle postCount posts(first: 2) { nodes { text author { id handle } } } } }"


async def _ask(
    system: System, query: str, variables: dict[str, str] | None = None, token: str | None = None
) -> dict[str, Any]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(timeout=30) as client:
        response = await client.post(
            system.graphql_url, json={"query": query, "variables": variables}, headers=headers
        )
    answer: dict[str, Any] = response.json()
    return answer


async def test_demo_user_logs_in_and_reads_across_subgraphs(system: System) -> None:
    credentials = {"email": system.logins[0], "password": system.password}

    logged_in = (await _ask(system, _LOG_IN, credentials))["data"]["login"]
    answer = await _ask(system, _ME, token=logged_in["accessToken"])

    assert "errors" not in answer
    me = answer["data"]["me"]
    assert (me["id"], me["handle"]) == (logged_in["user"]["id"], "ada")
    assert me["postCount"] > 2
    assert len(me["posts"]["nodes"]) == 2
    assert {post["author"]["handle"] for post in me["posts"]["nodes"]} == {"ada"}


async def test_wrong_password_is_refused(system: System) -> None:
    answer = await _ask(system, _LOG_IN, {"email": system.logins[0], "password": "wrong-password"})

    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
