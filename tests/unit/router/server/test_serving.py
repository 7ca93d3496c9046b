"""The router as processes: ``python -m router serve`` from start to stop."""

import signal
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.server.serving import ListenError, ServerAddress, listen
from tests.support.router_processes import router_process, still_running, stop, workers_of
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    path = tmp_path / "supergraph.graphql"
    path.write_text(SUPERGRAPH)
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serves_subgraphs_over_http_until_it_is_told_to_stop(
    supergraph: Path, number: signal.Signals
) -> None:
    # Another router stands in for the subgraph: it speaks GraphQL over HTTP and WebSocket.
    things = make_app(ThingsSubgraph())
    async with served(things) as subgraph:
        urls = f'{{"things": "http://{subgraph}/graphql"}}'
        async with (
            router_process(supergraph, ROUTER_SUBGRAPH_URLS=urls) as (process, url),
            httpx.AsyncClient(base_url=url) as client,
        ):
            answer = await client.post("/graphql", json={"query": "{ greeting }"})
            ready = await client.get("/ready")
            async with connect(
                f"ws{url.removeprefix('http')}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
            ) as socket:
                await socket.send('{"type":"connection_init"}')
                await socket.recv()
                await socket.send(
                    '{"type":"subscribe","id":"1","payload":{"query":"subscription { waiting }"}}'
                )
                event = await socket.recv()
                exit_code = await stop(process, number)
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()

    assert answer.json() == {"data": {"greeting": "Hello, world!"}}
    assert (ready.json()["status"], ready.json()["subgraphs"]) == ("ready", {"things": "ok"})
    assert event == '{"id":"1","type":"next","payload":{"data":{"waiting":0}}}'
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert exit_code == 0


async def test_a_subgraph_that_is_not_there_makes_it_not_ready(supergraph: Path) -> None:
    async with (
        router_process(supergraph) as (_, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        health = await client.get("/health")
        ready = await client.get("/ready")

    assert health.status_code == 200
    assert (ready.status_code, ready.json()["subgraphs"]) == (503, {"things": "unreachable"})


async def test_workers_share_the_port_and_stop_together(supergraph: Path) -> None:
    async with (
        router_process(supergraph, "--workers", "2") as (process, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        for _ in range(10):
            response = await client.post(
                "/graphql", json={"query": "{ __typename }"}, headers={"connection": "close"}
            )
            assert response.json() == {"data": {"__typename": "Query"}}
        metrics = (await client.get("/metrics")).text
        workers = workers_of(process.pid)
        exit_code = await stop(process, signal.SIGTERM)

    assert 'router_operations_total{kind="query",operation="",outcome="ok"} 10.0' in metrics
    assert len(workers) == 2
    assert exit_code == 0
    assert still_running(workers) == []


def test_a_port_in_use_is_a_clear_error() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ListenError, match=rf"port {port} on 127.0.0.1 is in use.*--port"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_a_clear_error() -> None:
    with pytest.raises(ListenError, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4000"),
        ("0.0.0.0", "http://127.0.0.1:4000"),  # noqa: S104
        ("::1", "http://[::1]:4000"),
        ("router.example", "http://router.example:4000"),
    ],
)
def test_the_printed_address_can_be_opened(host: str, url: str) -> None:
    assert ServerAddress(host, 4000).url == url
