"""Batches: each operation stands for itself, all run at once, limits hold for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from router.server.app import RouterApp
from router.server.http import runner
from router.server.pipeline.execute import execute
from tests.support.router_server import ThingsSubgraph, make_app, served


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def app(things: ThingsSubgraph) -> RouterApp:
    return make_app(things, batching=True, max_batch_size=6)


@pytest.fixture
async def client(app: RouterApp) -> AsyncGenerator[httpx.AsyncClient, None]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client


def code(payload: dict[str, Any]) -> str:
    return str(payload["errors"][0]["extensions"]["code"])


async def test_answers_each_operation_in_its_place(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql",
        json=[
            {"query": "query($n: String) { greeting(name: $n) }", "variables": {"n": "you"}},
            {"query": "{ nope }"},
            {"query": 1},
            "no request",
            {"query": "mutation { bump }"},
            {"query": "{ failing }"},
        ],
    )

    assert response.status_code == 200
    answers = response.json()
    assert len(answers) == 6
    assert answers[0] == {"data": {"greeting": "Hello, you!"}}
    assert [code(answer) for answer in answers[1:4]] == [
        "GRAPHQL_VALIDATION_FAILED",
        "BAD_REQUEST",
        "BAD_REQUEST",
    ]
    assert answers[4] == {"data": {"bump": 1}}
    assert answers[5]["data"] == {"failing": None}


async def test_operations_run_at_the_same_time(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    answer = asyncio.get_running_loop().create_task(
        client.post("/graphql", json=[{"query": "{ slow }"}, {"query": "mutation { slowBump }"}])
    )
    async with asyncio.timeout(5):
        while len(things.requests) < 2:  # noqa: ASYNC110 - both wait for `release` alone
            await asyncio.sleep(0)
    things.release.set()

    assert (await answer).json() == [{"data": {"slow": "at last"}}, {"data": {"slowBump": 1}}]


async def test_a_broken_operation_hurts_no_other(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = execute

    async def broken(generation: Any, prepared: Any, variables: Any, context: Any) -> Any:
        if prepared.name == "Broken":
            raise ZeroDivisionError("secret detail")
        return await real(generation, prepared, variables, context)

    monkeypatch.setattr(runner, "execute", broken)
    response = await client.post(
        "/graphql", json=[{"query": "query Broken { greeting }"}, {"query": "{ greeting }"}]
    )

    assert code(response.json()[0]) == "INTERNAL_SERVER_ERROR"
    assert "secret" not in response.text
    assert response.json()[1] == {"data": {"greeting": "Hello, world!"}}


@pytest.mark.parametrize(("size", "expected"), [(0, "BAD_REQUEST"), (7, "BATCH_LIMIT_EXCEEDED")])
async def test_a_batch_has_at_least_one_and_at_most_so_many(
    client: httpx.AsyncClient, things: ThingsSubgraph, size: int, expected: str
) -> None:
    response = await client.post("/graphql", json=[{"query": "{ greeting }"}] * size)

    assert response.status_code == 400
    assert code(response.json()) == expected
    assert things.requests == []


async def test_batches_are_off_by_default(things: ThingsSubgraph) -> None:
    transport = httpx.ASGITransport(make_app(things))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        response = await client.post("/graphql", json=[{"query": "{ greeting }"}])

    assert response.status_code == 400
    assert code(response.json()) == "BATCHING_NOT_ENABLED"


async def test_each_operation_is_counted(client: httpx.AsyncClient, app: RouterApp) -> None:
    await client.post(
        "/graphql",
        json=[{"query": "query A { greeting }"}, {"query": "query A { greeting }"}, {"query": "{"}],
    )

    value = app.metrics.registry.get_sample_value
    labels = {"kind": "query", "operation": "A", "outcome": "ok"}
    assert value("router_operations_total", labels) == 2
    assert value("router_request_errors_total", {"code": "GRAPHQL_PARSE_FAILED"}) == 1


async def test_each_operation_counts_for_the_rate(things: ThingsSubgraph) -> None:
    app = make_app(things, batching=True, rate_limit_address="3/60")
    batch = [{"query": "{ greeting }"}] * 2
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        first = await client.post("/graphql", json=batch)
        second = await client.post("/graphql", json=batch)

    assert first.json() == [{"data": {"greeting": "Hello, world!"}}] * 2
    assert (second.status_code, code(second.json())) == (429, "RATE_LIMITED")
    assert len(things.requests) == 2


async def _hang_up(app: RouterApp, things: ThingsSubgraph, body: bytes) -> None:
    async with served(app) as address:
        _, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: r\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        await things.started.wait()
        writer.close()
        await writer.wait_closed()
        if b"mutation" in body:
            things.release.set()


async def test_a_client_that_hangs_up_cancels_its_queries(
    app: RouterApp, things: ThingsSubgraph
) -> None:
    await _hang_up(app, things, b'[{"query":"{slow}"},{"query":"{greeting}"}]')

    assert things.cancelled.is_set()


async def test_a_batch_with_a_mutation_is_finished(app: RouterApp, things: ThingsSubgraph) -> None:
    await _hang_up(app, things, b'[{"query":"{slow}"},{"query":"mutation{slowBump}"}]')

    assert things.count == 1
    assert not things.cancelled.is_set()
