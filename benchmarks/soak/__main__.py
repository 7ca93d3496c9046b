"""``python -m benchmarks.soak --minutes 60``: does a router's memory stay where it is?

A router process serves queries (the same ones, ever new ones, wrong ones), subscribers come and go,
and its supergraph changes every few seconds. Its resident memory is printed as it goes. The
subgraph and the clients are in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import aiohttp
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.support.router_processes import router_process
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SUBSCRIPTION = (
    '{"type":"subscribe","id":"1","payload":{"query":"subscription { ticks(count: 3) }"}}'
)


@dataclass
class Counts:
    """What has been done so far."""

    answers: int = 0
    failures: int = 0
    subscriptions: int = 0
    reloads: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--reload-seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=8)
    asyncio.run(_soak(parser.parse_args()))


async def _soak(options: argparse.Namespace) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "supergraph.graphql"
        file.write_text(SUPERGRAPH)
        counts = Counts()
        async with (
            served(make_app(ThingsSubgraph())) as address,
            router_process(
                file,
                ROUTER_SUBGRAPH_URLS=f'{{"things": "http://{address}/graphql"}}',
                ROUTER_RELOAD_DRAIN_TIME="10",
                ROUTER_OPERATION_CACHE_SIZE="500",
                ROUTER_LOG_LEVEL="error",
            ) as (process, url),
            aiohttp.ClientSession() as session,
        ):
            work = [_ask(session, url, number, counts) for number in range(options.clients)]
            work += [_subscribe(url, counts), _reload(file, options.reload_seconds, counts)]
            tasks = [asyncio.create_task(each) for each in work]
            try:
                await _watch(process.pid, options.minutes * 60, counts)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(pid: int, seconds: float, counts: Counts) -> None:
    print("| s | resident MB | answers | failures | subscriptions | reloads |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    started = monotonic()
    while (passed := monotonic() - started) < seconds:
        print(
            f"| {passed:.0f} | {_resident(pid):.1f} | {counts.answers} | {counts.failures} "
            f"| {counts.subscriptions} | {counts.reloads} |",
            flush=True,
        )
        await asyncio.sleep(seconds / 24)


def _resident(pid: int) -> float:
    """The memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


async def _ask(session: aiohttp.ClientSession, url: str, client: int, counts: Counts) -> None:
    for number in count():
        queries = ("{ greeting }", f"{{ a{client}_{number}: greeting }}", "{ nothing }")
        try:
            async with session.post(
                f"{url}/graphql", json={"query": queries[number % 3]}
            ) as answer:
                await answer.read()
            counts.answers += 1
        except aiohttp.ClientError:
            counts.failures += 1
        await asyncio.sleep(0.002)


async def _subscribe(url: str, counts: Counts) -> None:
    address = f"ws{url.removeprefix('http')}/graphql"
    while True:
        with suppress(WebSocketException, OSError):
            async with connect(
                address, subprotocols=[Subprotocol("graphql-transport-ws")]
            ) as socket:
                await socket.send('{"type":"connection_init"}')
                await socket.recv()
                await socket.send(_SUBSCRIPTION)
                while '"complete"' not in str(await socket.recv()):
                    pass
                counts.subscriptions += 1
        await asyncio.sleep(0.02)


async def _reload(file: Path, seconds: float, counts: Counts) -> None:
    temporary = file.with_suffix(".new")
    for number in count():
        await asyncio.sleep(seconds)
        text = SUPERGRAPH.replace("  failing: String\n", f"  failing: String\n  v{number}: Int\n")
        temporary.write_text(text)
        temporary.replace(file)
        counts.reloads += 1


if __name__ == "__main__":
    main()
