"""Limits through the whole application: codes, statuses, metrics, and what passes."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from tests.support.router_server import ThingsSubgraph, make_app

RESPONSE = {"accept": "application/graphql-response+json"}


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def client(things: ThingsSubgraph) -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(make_app(things))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client


async def _ask(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any] | None = None
) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return await client.post("/graphql", json=body, headers=RESPONSE)


def _doubling(levels: int) -> str:
    steps = (f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }} " for i in range(levels))
    return "{ ...F0 } " + "".join(steps) + f"fragment F{levels} on Query {{ greeting }}"


HOSTILE = {
    "one field under many aliases": (
        "{ greeting " + " ".join(f"a{i}: greeting" for i in range(3000)) + " }",
        "MAX_HEIGHT_LIMIT",
    ),
    "one mutation many times": (
        "mutation { " + " ".join(f"a{i}: bump" for i in range(51)) + " }",
        "MAX_ROOT_FIELDS_LIMIT",
    ),
    "a field many times": (
        "{ __schema { " + "types { name } " * 600 + "} }",
        "MAX_VALIDATION_WORK_LIMIT",
    ),
    "fragments that double": (_doubling(40), "MAX_HEIGHT_LIMIT"),
    "a thousand fragments": (
        "{ greeting }" + "".join(f"fragment F{i} on Query {{ greeting }}" for i in range(1000)),
        "MAX_DEFINITIONS_LIMIT",
    ),
    "fragments in a circle": (
        "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fields in each other": (
        "{ __schema { types { " + "ofType { " * 40 + "name" + " }" * 43,
        "MAX_DEPTH_LIMIT",
    ),
    "inline fragments in each other": (
        "{ " + "... { " * 60 + "greeting" + " }" * 61,
        "MAX_FRAGMENT_DEPTH_LIMIT",
    ),
    "brackets in each other": ("{ greeting(name: " + "[" * 3000, "GRAPHQL_PARSE_FAILED"),
    "a literal of many members": (
        "{ nested(filter: {" + " ".join(f"x{i}: 1" for i in range(3000)) + "}) }",
        "MAX_LITERAL_VALUES_LIMIT",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_documents_are_refused_and_counted(
    things: ThingsSubgraph, client: httpx.AsyncClient, name: str
) -> None:
    query, code = HOSTILE[name]

    response = await _ask(client, query)

    assert response.status_code == 400
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {code}
    assert len(response.content) < 25_000
    assert things.requests == []
    metrics = (await client.get("/metrics")).text
    assert f'router_request_errors_total{{code="{code}"}} 1.0' in metrics


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"text": [0] * 10_001}, "MAX_INPUT_VALUES_LIMIT"),
        ({"text": [[[[0] * 3000] * 4]]}, "MAX_INPUT_VALUES_LIMIT"),
    ],
)
async def test_large_variables_are_refused(
    client: httpx.AsyncClient, value: Any, code: str
) -> None:
    response = await _ask(client, "query($f: Filter!) { nested(filter: $f) }", {"f": value})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_a_wrong_value_is_not_quoted_at_length(client: httpx.AsyncClient) -> None:
    value = {"text": "x" * 100_000, "other": 1}

    response = await _ask(client, "query($f: Filter!) { nested(filter: $f) }", {"f": value})

    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(response.content) < 5_000


async def test_the_introspection_of_usual_tools_is_within_the_limits(
    client: httpx.AsyncClient,
) -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )

    assert "errors" not in (await _ask(client, query)).json()
