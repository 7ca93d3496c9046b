"""Costs over HTTP: off, measured, enforced."""

from typing import Any

import httpx
import pytest

from tests.support.router_server import ThingsSubgraph, make_app

MUTATION = "mutation { bump }"


async def _ask(query: str, **settings: Any) -> tuple[ThingsSubgraph, httpx.Response, str]:
    things = ThingsSubgraph()
    transport = httpx.ASGITransport(make_app(things, **settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        response = await client.post(
            "/graphql",
            json={"query": query},
            headers={"accept": "application/graphql-response+json", "x-router-debug": "1"},
        )
        return things, response, (await client.get("/metrics")).text


@pytest.mark.parametrize(("maximum", "status"), [(9, 400), (10, 200), (11, 200)])
async def test_an_operation_over_the_maximum_is_refused_before_it_runs(
    maximum: int, status: int
) -> None:
    things, response, metrics = await _ask(MUTATION, cost_mode="enforce", max_cost=maximum)

    assert response.status_code == status
    assert things.count == (status == 200)
    if status == 200:
        assert response.json()["extensions"]["cost"] == {"estimated": 10.0, "max": maximum}
        assert 'router_operation_cost_sum{result="ok"} 10.0' in metrics
        return
    [error] = response.json()["errors"]
    assert error["extensions"] == {
        "code": "COST_ESTIMATED_TOO_EXPENSIVE",
        "cost": {"estimated": 10.0, "max": 9.0},
    }
    assert 'router_operation_cost_sum{result="too_expensive"} 10.0' in metrics
    assert 'router_request_errors_total{code="COST_ESTIMATED_TOO_EXPENSIVE"} 1.0' in metrics


async def test_measuring_refuses_nothing() -> None:
    things, response, metrics = await _ask(MUTATION, cost_mode="measure", max_cost=9)

    assert response.status_code == 200
    assert things.count == 1
    assert 'router_operation_cost_count{result="too_expensive"} 1.0' in metrics


async def test_without_costs_nothing_is_measured() -> None:
    _, response, metrics = await _ask(MUTATION, max_cost=9)

    assert "cost" not in response.json()["extensions"]
    assert "router_operation_cost_count{" not in metrics
