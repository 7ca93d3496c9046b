"""Workers behind one port: how they die, are replaced and stop."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.support.load import under_load
from tests.support.router_processes import router_process, still_running, stop, workers_of
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served
from tests.support.waiting import until

GREETING = '{"data":{"greeting":"Hello, world!"}}'


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    path = tmp_path / "supergraph.graphql"
    path.write_text(SUPERGRAPH)
    return path


@pytest.fixture
def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def subgraph(things: ThingsSubgraph) -> AsyncGenerator[str, None]:
    async with served(make_app(things)) as address:
        yield f'{{"things": "http://{address}/graphql"}}'


async def test_a_killed_worker_is_replaced_and_the_others_go_on(
    supergraph: Path, subgraph: str
) -> None:
    async with (
        router_process(supergraph, "--workers", "2", ROUTER_SUBGRAPH_URLS=subgraph) as (
            process,
            url,
        ),
        httpx.AsyncClient(base_url=url) as client,
    ):
        for _ in range(5):
            await client.post("/graphql", json={"query": "{ greeting }"})
        victim, survivor = workers_of(process.pid)

        async def is_replaced() -> bool:
            now = workers_of(process.pid)
            return victim not in now and len(now) == 2

        async def counted() -> float:
            metrics = (await client.get("/metrics")).text
            found = re.search(r'^router_operations_total\{.*"ok"\} (\S+)$', metrics, re.MULTILINE)
            return 0.0 if found is None else float(found[1])

        async def first_are_counted() -> bool:
            return await counted() == 5.0

        async def all_are_counted() -> bool:
            return await counted() == 10.0

        await until(first_are_counted)  # a request is counted when its answer has gone out
        os.kill(victim, signal.SIGKILL)
        await until(is_replaced)
        answers = set()
        for _ in range(5):
            response = await client.post(
                "/graphql", json={"query": "{ greeting }"}, headers={"connection": "close"}
            )
            answers.add(response.text)
        await until(all_are_counted)
        workers = workers_of(process.pid)
        exit_code = await stop(process, signal.SIGTERM)

    assert survivor in workers
    assert answers == {GREETING}
    assert exit_code == 0
    assert still_running(workers) == []


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
async def test_no_request_is_lost_when_it_is_told_to_stop_under_load(
    supergraph: Path, subgraph: str, options: tuple[str, ...]
) -> None:
    async with (
        router_process(
            supergraph, *options, ROUTER_SUBGRAPH_URLS=subgraph, ROUTER_SHUTDOWN_DELAY="0.5"
        ) as (process, url),
        under_load(url, "{ greeting }", clients=8, until_told_to_leave=True) as load,
    ):
        await load.more(200)
        exit_code = await stop(process, signal.SIGTERM)

    assert load.failures == []
    assert set(load.answers) == {GREETING}
    assert exit_code == 0


async def test_a_request_in_flight_is_finished(
    supergraph: Path, subgraph: str, things: ThingsSubgraph
) -> None:
    async with (
        router_process(supergraph, "--workers", "2", ROUTER_SUBGRAPH_URLS=subgraph) as (
            process,
            url,
        ),
        httpx.AsyncClient(base_url=url, timeout=30) as client,
    ):
        answer = asyncio.create_task(client.post("/graphql", json={"query": "{ slow }"}))
        await things.started.wait()
        process.send_signal(signal.SIGINT)

        async def refuses() -> bool:
            try:
                _, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
            except OSError:
                return True
            writer.close()
            await writer.wait_closed()
            return False

        await until(refuses)
        things.release.set()
        response = await answer
        async with asyncio.timeout(15):
            exit_code = await process.wait()

    assert response.json() == {"data": {"slow": "at last"}}
    assert exit_code == 0


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
async def test_not_ready_comes_first_and_a_second_signal_ends_it(
    supergraph: Path, subgraph: str, options: tuple[str, ...]
) -> None:
    async with (
        router_process(
            supergraph, *options, ROUTER_SUBGRAPH_URLS=subgraph, ROUTER_SHUTDOWN_DELAY="60"
        ) as (process, url),
        httpx.AsyncClient(base_url=url) as client,
    ):

        async def is_stopping() -> bool:
            response = await client.get("/ready", headers={"connection": "close"})
            return response.status_code == 503

        answers: list[httpx.Response] = []

        async def is_told_to_leave() -> bool:  # by each worker once its signal has come
            answers.append(await client.post("/graphql", json={"query": "{ greeting }"}))
            closing: bool = answers[-1].headers.get("connection") == "close"
            return closing

        process.send_signal(signal.SIGTERM)
        await until(is_stopping)
        alive = await client.get("/health")
        await until(is_told_to_leave)
        exit_code = await stop(process, signal.SIGTERM)

    assert alive.status_code == 200
    assert {answer.text for answer in answers} == {GREETING}
    assert exit_code == 0


async def test_what_does_not_end_in_time_is_cut_off(
    supergraph: Path, subgraph: str, things: ThingsSubgraph
) -> None:
    async with (
        router_process(
            supergraph,
            *("--workers", "2"),
            ROUTER_SUBGRAPH_URLS=subgraph,
            ROUTER_SHUTDOWN_TIMEOUT="1",
        ) as (process, url),
        httpx.AsyncClient(base_url=url, timeout=30) as client,
    ):
        answer = asyncio.create_task(client.post("/graphql", json={"query": "{ slow }"}))
        await things.started.wait()
        exit_code = await stop(process, signal.SIGTERM)
        response = await answer

    assert response.status_code == 500
    assert exit_code == 0


async def test_workers_stop_when_their_supervisor_is_killed(
    supergraph: Path, subgraph: str
) -> None:
    async with router_process(supergraph, "--workers", "2", ROUTER_SUBGRAPH_URLS=subgraph) as (
        process,
        _,
    ):
        workers = workers_of(process.pid)
        process.kill()
        await process.wait()

        async def are_gone() -> bool:
            return still_running(workers) == []

        await until(are_gone)

    assert len(workers) == 2


async def test_workers_that_do_not_start_are_a_clear_error(
    supergraph: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os, sys\nif any('spawn_main' in word for word in sys.orig_argv): os._exit(7)\n"
    )
    paths = os.pathsep.join([str(site), str(Path(__file__).parents[4])])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "router", "serve", "--supergraph", str(supergraph)),
        *("--port", "0", "--workers", "2"),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    async with asyncio.timeout(30):
        _, text = await process.communicate()

    assert process.returncode == 1
    assert "CANNOT_START: worker" in text.decode()
    assert "ended with 7" in text.decode()
