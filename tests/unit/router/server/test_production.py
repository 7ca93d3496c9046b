"""What a router in production keeps to itself: its schema, suggestions, subgraphs' accidents."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import orjson
import pytest
from typing_extensions import override

from router.executor.transport.base import SubgraphRequest, SubgraphResponse
from tests.support.router_server import ThingsSubgraph, make_app

NESTED = "query ($f: Filter!) { nested(filter: $f) }"


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    async with production() as client:
        yield client


class Failing(ThingsSubgraph):
    """A subgraph whose answer is given."""

    def __init__(self, *errors: Any) -> None:
        super().__init__()
        self.errors = errors

    @override
    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        body = {"data": {"failing": None}, "errors": self.errors}
        return SubgraphResponse(200, orjson.dumps(body))


def production(things: ThingsSubgraph | None = None, **settings: Any) -> httpx.AsyncClient:
    app = make_app(things or ThingsSubgraph(), **{"environment": "production", **settings})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router")


async def answer(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    members = {"query": query, "variables": variables}
    response = await client.post("/graphql", json=members, headers={"x-request-id": "req-1"})
    body: dict[str, Any] = response.json()
    return body


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Filter") { name } }',
        '{ t: __type(name: "Filter") { inputFields { name } } }',
        "fragment F on Query { __schema { types { name } } } { ...F }",
        '{ greeting ... on Query { ... { __type(name: "Query") { name } } } }',
        "mutation { __schema { types { name } } }",
    ],
)
async def test_the_schema_cannot_be_introspected(client: httpx.AsyncClient, query: str) -> None:
    body = await answer(client, query)

    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_typename_is_no_introspection(client: httpx.AsyncClient) -> None:
    assert await answer(client, "{ __typename }") == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ greetin }", {}),
        ("{ greeting(nam: 1) }", {}),
        ('{ nested(filter: {text: "a", limi: 1}) }', {}),
        ("fragment F on Quer { greeting } { ...F }", {}),
        ("query ($f: Filte!) { nested(filter: $f) }", {}),
        (NESTED, {"f": {"text": "a", "limi": 1}}),
        (NESTED, {"f": {"tex": "a"}}),
    ],
)
async def test_nothing_is_suggested(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any]
) -> None:
    body = await answer(client, query, **variables)
    async with production(suggestions=True) as open_client:
        suggested = await answer(open_client, query, **variables)

    assert "Did you mean" not in orjson.dumps(body).decode()
    assert body["errors"]
    assert "Did you mean" in orjson.dumps(suggested).decode()


async def test_browsers_get_no_graphiql(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": "text/html"})

    assert response.status_code in {400, 406}


@pytest.mark.parametrize(
    "error",
    [
        {"message": "SELECT secret"},
        {"message": "SELECT secret", "extensions": {"code": "INTERNAL_SERVER_ERROR"}},
        {"message": "SELECT secret", "extensions": {"code": ["NOT_FOUND"]}},
        {"message": "SELECT secret", "extensions": "NOT_FOUND"},
        {"message": "SELECT secret", "extensions": {"exception": {"stacktrace": ["secret"]}}},
    ],
    ids=str,
)
async def test_accidents_of_subgraphs_are_masked(
    error: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with production(Failing(error)) as client:
        body = await answer(client, "{ failing }")

    assert "secret" not in orjson.dumps(body).decode()
    (shown,) = body["errors"]
    assert shown["message"] == "The subgraph reported an error that is not shown."
    assert shown["extensions"]["requestId"] == "req-1"
    assert shown["extensions"]["service"] == "things"
    assert shown["extensions"]["code"] in {"DOWNSTREAM_SERVICE_ERROR", "INTERNAL_SERVER_ERROR"}
    assert "SELECT secret" in caplog.text
    assert "req-1" in caplog.text


async def test_an_error_with_a_code_is_shown() -> None:
    error = {"message": "No such thing.", "extensions": {"code": "NOT_FOUND", "secret": 1}}
    async with production(Failing(error)) as client:
        body = await answer(client, "{ failing }")

    (shown,) = body["errors"]
    assert shown["message"] == "No such thing."
    assert shown["extensions"] == {"code": "NOT_FOUND", "service": "things"}


async def test_codes_and_extensions_can_be_chosen() -> None:
    errors = [
        {"message": "a", "extensions": {"code": "A", "hint": 1}},
        {"message": "b", "extensions": {"code": "B", "hint": 2}},
    ]
    settings = {
        "environment": "test",
        "subgraph_error_codes": ["A"],
        "subgraph_error_extensions": ["code", "hint"],
    }
    async with production(Failing(*errors), **settings) as client:
        body = await answer(client, "{ failing }")

    shown, masked = body["errors"]
    assert (shown["message"], shown["extensions"]["code"], shown["extensions"]["hint"]) == (
        "a",
        "A",
        1,
    )
    assert masked["extensions"] == {
        "code": "DOWNSTREAM_SERVICE_ERROR",
        "service": "things",
        "requestId": "req-1",
    }


async def test_masking_can_be_switched() -> None:
    error = {"message": "plain"}
    async with production(Failing(error), mask_subgraph_errors=False) as client:
        plain = await answer(client, "{ failing }")
    async with production(Failing(error), environment="test") as client:
        tested = await answer(client, "{ failing }")

    assert plain["errors"][0]["message"] == tested["errors"][0]["message"] == "plain"
