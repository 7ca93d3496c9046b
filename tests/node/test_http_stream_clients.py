"""Streams of results as their clients read them: `graphql-sse`, and `meros`, which reads multipart
responses for urql, Relay and GraphiQL.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.node.run import read_stream
from tests.support.router_server import ThingsSubgraph, make_app, served

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm_packages")]

TICKS = "subscription { ticks(count: 3) }"
WAITING = "subscription { waiting }"


async def messages(things: ThingsSubgraph, protocol: str, query: str, **options: Any) -> list[Any]:
    async with served(make_app(things, stream_heartbeat_interval=0.05)) as address:
        url = f"http://{address}/graphql"
        return await asyncio.to_thread(read_stream, url, protocol, query, **options)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_graphql_sse_gets_every_event_and_the_end(method: str) -> None:
    found = await messages(ThingsSubgraph(), "sse", TICKS, method=method)

    assert found == [{"data": {"ticks": number}} for number in range(3)]


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ greeting }", {"greeting": "Hello, world!"}), ("mutation { bump }", {"bump": 1})],
)
async def test_graphql_sse_runs_queries_and_mutations(query: str, data: dict[str, Any]) -> None:
    assert await messages(ThingsSubgraph(), "sse", query) == [{"data": data}]


async def test_graphql_sse_gets_the_mistakes_of_a_document() -> None:
    (response,) = await messages(ThingsSubgraph(), "sse", "subscription { nope }")

    assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_graphql_sse_ends_its_subscription_when_it_has_enough() -> None:
    things = ThingsSubgraph()

    found = await messages(things, "sse", WAITING, take=1)

    assert found == [{"data": {"waiting": 0}}]
    async with asyncio.timeout(5):
        await things.cancelled.wait()


async def test_meros_gets_every_part_and_the_end() -> None:
    found = await messages(ThingsSubgraph(), "multipart", TICKS)

    assert found == [{"payload": {"data": {"ticks": number}}} for number in range(3)]


async def test_meros_gets_heartbeats_and_ends_the_subscription_when_it_has_enough() -> None:
    things = ThingsSubgraph()

    found = await messages(things, "multipart", WAITING, take=3)

    assert found == [{"payload": {"data": {"waiting": 0}}}, {}, {}]
    async with asyncio.timeout(5):
        await things.cancelled.wait()


async def test_meros_gets_the_parts_of_a_deferred_answer() -> None:
    things = ThingsSubgraph()
    things.release.set()

    found = await messages(things, "defer", '{ greeting ... @defer(label: "late") { slow } }')

    late = {"data": {"slow": "at last"}, "path": [], "label": "late"}
    assert found == [
        {"data": {"greeting": "Hello, world!"}, "hasNext": True},
        {"incremental": [late], "hasNext": False},
    ]


async def test_meros_gets_a_first_part_before_what_is_deferred_is_there() -> None:
    things = ThingsSubgraph()

    found = await messages(things, "defer", "{ greeting ... @defer { slow } }", take=1)

    assert found == [{"data": {"greeting": "Hello, world!"}, "hasNext": True}]
    async with asyncio.timeout(5):
        await things.cancelled.wait()
