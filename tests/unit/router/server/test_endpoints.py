"""Health, readiness, metrics and GraphiQL's files."""

import re
import time
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from router.server.app import RouterApp
from router.server.graphiql import CONTENT_SECURITY_POLICY
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def app(things: ThingsSubgraph) -> RouterApp:
    return make_app(things, readiness_cache=0.000_001, readiness_timeout=0.05)


@pytest.fixture
async def client(app: RouterApp) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with _client(app) as client:
        yield client


def _client(app: RouterApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router")


async def test_alive_says_nothing_of_subgraphs(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    things.reachable = False

    response = await client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_ready_follows_the_subgraphs(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    up = await client.get("/ready")
    things.reachable = False
    down = await client.get("/ready")
    things.reachable = True
    again = await client.get("/ready")

    assert (up.status_code, up.json()["status"]) == (200, "ready")
    assert up.json()["subgraphs"] == {"things": "ok"}
    assert (down.status_code, down.json()["status"]) == (503, "not ready")
    assert down.json()["subgraphs"] == {"things": "unreachable"}
    assert again.status_code == 200


async def test_ready_and_metrics_name_the_supergraph_and_its_age(
    client: httpx.AsyncClient, app: RouterApp
) -> None:
    ready = (await client.get("/ready")).json()["supergraph"]
    metrics = (await client.get("/metrics")).text

    assert ready["hash"] == app.supergraph.digest == sha256(SUPERGRAPH.encode()).hexdigest()
    assert 0 <= ready["age_seconds"] < 60
    assert _metric(metrics, f'router_supergraph_info{{hash="{app.supergraph.digest}"}}') == 1
    loaded_at = _metric(metrics, "router_supergraph_loaded_timestamp_seconds")
    assert time.time() - 60 < loaded_at <= time.time()


async def test_a_fresh_answer_is_shared(things: ThingsSubgraph) -> None:
    async with _client(make_app(things, readiness_cache=60.0)) as client:
        for _ in range(3):
            assert (await client.get("/ready")).status_code == 200

    assert len(things.requests) == 1


async def test_not_ready_once_it_is_stopping(app: RouterApp, client: httpx.AsyncClient) -> None:
    app.drain()

    response = await client.get("/ready")

    assert (response.status_code, response.json()) == (503, {"status": "stopping"})


def _metric(text: str, name: str) -> float:
    match = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert match is not None, name
    return float(match[1])


async def test_metrics_count_operations_refusals_and_subgraph_requests(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    await client.post("/graphql", json={"query": "query Me { greeting }"})
    await client.post("/graphql", json={"query": "query Me { greeting }"})
    await client.post("/graphql", json={"query": "{ failing }"})
    await client.post("/graphql", json={"query": "{ nope }"})
    things.reachable = False
    await client.post("/graphql", json={"query": "{ failing }"})

    text = (await client.get("/metrics")).text

    labels = 'kind="query",operation="Me",outcome="ok"'
    assert _metric(text, f"router_operations_total{{{labels}}}") == 2
    labels = 'kind="query",operation="",outcome="errors"'
    assert _metric(text, f"router_operations_total{{{labels}}}") == 2
    labels = 'code="GRAPHQL_VALIDATION_FAILED"'
    assert _metric(text, f"router_request_errors_total{{{labels}}}") == 1
    labels = 'code="200",subgraph="things"'
    assert _metric(text, f"router_subgraph_requests_total{{{labels}}}") == 3
    labels = 'code="error",subgraph="things"'
    assert _metric(text, f"router_subgraph_requests_total{{{labels}}}") == 1
    assert _metric(text, 'router_stage_duration_seconds_count{stage="parse"}') == 3


async def test_operation_names_cannot_blow_the_metrics_up(things: ThingsSubgraph) -> None:
    async with _client(make_app(things, max_operation_labels=2)) as client:
        for number in range(5):
            await client.post("/graphql", json={"query": f"query Q{number} {{ greeting }}"})
        text = (await client.get("/metrics")).text

    names = set(re.findall(r'router_operations_total\{kind="query",operation="([^"]*)"', text))
    assert names == {"Q0", "Q1", "_other"}


async def test_a_browser_gets_graphiql_under_a_strict_policy(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers=HTML)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "graphiql" in response.text


async def test_every_file_that_the_page_names_is_served(client: httpx.AsyncClient) -> None:
    page = (await client.get("/graphql", headers=HTML)).text
    names = re.findall(r'(?:href|src)="(graphiql/[^"]+)"', page)

    responses = [await client.get(f"/{name}") for name in names]

    assert len(names) >= 2
    assert {response.status_code for response in responses} == {200}
    assert all("immutable" in response.headers["cache-control"] for response in responses)


async def test_an_unchanged_page_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/graphql", headers=HTML)
    second = await client.get("/graphql", headers={**HTML, "if-none-match": first.headers["etag"]})

    assert (second.status_code, second.content) == (304, b"")


@pytest.mark.parametrize("name", ["..%2fsettings.py", "nope.js", "index.html"])
async def test_other_files_are_not_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/graphiql/{name}")).status_code == 404


@pytest.mark.parametrize("settings", [{"environment": "production"}, {"graphiql": False}])
async def test_graphiql_can_be_off(things: ThingsSubgraph, settings: dict[str, Any]) -> None:
    async with _client(make_app(things, **settings)) as client:
        response = await client.get("/graphql", headers=HTML)
        asset = await client.get("/graphiql/index.html")

    assert response.status_code == 400  # taken for a GraphQL request without a query
    assert asset.status_code == 404
