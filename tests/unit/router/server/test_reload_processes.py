"""Reloading a router that is a process, under load, from its files."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.load import under_load
from tests.support.router_processes import router_process, workers_of
from tests.support.router_server import API, SUPERGRAPH, ThingsSubgraph, make_app, served
from tests.support.waiting import until

GREETING = '{"data":{"greeting":"Hello, world!"}}'
QUICK = {"ROUTER_RELOAD_INTERVAL": "0.02"}


@pytest.fixture
async def subgraph() -> AsyncGenerator[str, None]:
    """The environment of a router whose subgraph is another router, over HTTP and WebSocket."""
    async with served(make_app(ThingsSubgraph())) as address:
        yield f'{{"things": "http://{address}/graphql"}}'


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    path = tmp_path / "supergraph.graphql"
    path.write_text(_version(0))
    return path


def _version(number: int) -> str:
    return SUPERGRAPH.replace("  failing: String\n", f"  failing: String\n  v{number}: Int\n")


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)


def _write(path: Path, text: str) -> None:
    """In place, as an editor may do."""
    path.write_text(text)


def _serves(client: httpx.AsyncClient, number: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        query = f"{{ v{number} @skip(if: true) }}"
        response = await client.post(
            "/graphql", json={"query": query}, headers={"connection": "close"}
        )
        return bool(response.json() == {"data": {}})

    return check


async def test_a_client_under_load_sees_nothing_of_20_reloads(
    supergraph: Path, subgraph: str
) -> None:
    async with (
        router_process(supergraph, ROUTER_SUBGRAPH_URLS=subgraph, **QUICK) as (_, url),
        httpx.AsyncClient(base_url=url) as client,
        under_load(url, "{ greeting }") as load,
    ):
        for number in range(1, 21):
            _replace(supergraph, _version(number))
            await until(_serves(client, number))
            await load.more(5)
        metrics = (await client.get("/metrics")).text

    assert load.failures == []
    assert set(load.answers) == {GREETING}
    assert 'router_reloads_total{outcome="applied"} 20.0' in metrics


async def test_a_broken_file_changes_nothing_and_a_repaired_one_is_taken(
    supergraph: Path, subgraph: str
) -> None:
    async with (
        router_process(supergraph, ROUTER_SUBGRAPH_URLS=subgraph, **QUICK) as (process, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        assert process.stderr is not None
        before = (await client.get("/ready")).json()["supergraph"]["hash"]
        _write(supergraph, _version(1)[:500])
        async with asyncio.timeout(20):
            line = (await process.stderr.readline()).decode()
        during = (await client.get("/ready")).json()["supergraph"]["hash"]
        _write(supergraph, _version(1))
        await until(_serves(client, 1))
        after = (await client.get("/ready")).json()["supergraph"]["hash"]

    assert "INVALID_GRAPHQL" in line
    assert before == during != after


async def test_a_change_of_a_schema_recomposes_the_configuration(
    tmp_path: Path, subgraph: str
) -> None:
    config, schema = tmp_path / "supergraph.yaml", tmp_path / "things.graphql"
    schema.write_text(API)
    config.write_text(
        "subgraphs: {things: {routing_url: http://x, schema: {file: things.graphql}}}"
    )
    async with (
        router_process(config, ROUTER_SUBGRAPH_URLS=subgraph, **QUICK) as (_, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        _replace(schema, API.replace("  failing: String\n", "  failing: String\n  v1: Int\n"))
        await until(_serves(client, 1))


async def test_sighup_reloads_without_looking(supergraph: Path, subgraph: str) -> None:
    async with (
        router_process(supergraph, ROUTER_SUBGRAPH_URLS=subgraph, ROUTER_RELOAD_INTERVAL="0") as (
            process,
            url,
        ),
        httpx.AsyncClient(base_url=url) as client,
    ):
        _write(supergraph, _version(1))
        process.send_signal(signal.SIGHUP)
        await until(_serves(client, 1))


async def test_a_reload_reaches_all_workers_and_a_refusal_none(
    supergraph: Path, subgraph: str
) -> None:
    async def applied_by_both() -> bool:
        return 'router_reloads_total{outcome="applied"} 2.0' in (await client.get("/metrics")).text

    async def refused_by_one() -> bool:
        return 'router_reloads_total{outcome="refused"} 1.0' in (await client.get("/metrics")).text

    async with (
        router_process(supergraph, "--workers", "2", ROUTER_SUBGRAPH_URLS=subgraph, **QUICK) as (
            process,
            url,
        ),
        httpx.AsyncClient(base_url=url) as client,
        under_load(url, "{ greeting }") as load,
    ):
        workers = workers_of(process.pid)
        _replace(supergraph, _version(1))
        await until(applied_by_both)
        _replace(supergraph, "type Query")
        await until(refused_by_one)
        served_by_all = [await _serves(client, 1)() for _ in range(20)]
        same_workers = workers_of(process.pid) == workers

    assert load.failures == []
    assert all(served_by_all)
    assert same_workers


async def test_a_subscription_survives_a_reload_and_is_then_told_to_come_back(
    supergraph: Path,
) -> None:
    things = ThingsSubgraph()
    async with served(make_app(things)) as address:
        urls = f'{{"things": "http://{address}/graphql"}}'
        async with (
            router_process(
                supergraph,
                ROUTER_SUBGRAPH_URLS=urls,
                ROUTER_RELOAD_DRAIN_TIME="5",
                **QUICK,
            ) as (_, url),
            httpx.AsyncClient(base_url=url) as client,
            connect(
                f"ws{url.removeprefix('http')}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
            ) as socket,
        ):
            await socket.send('{"type":"connection_init"}')
            await socket.recv()
            await socket.send(
                '{"type":"subscribe","id":"1","payload":{"query":"subscription { waiting }"}}'
            )
            first = await socket.recv()
            _replace(supergraph, _version(1))
            await until(_serves(client, 1))
            async with asyncio.timeout(20):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()

    assert first == '{"id":"1","type":"next","payload":{"data":{"waiting":0}}}'
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
