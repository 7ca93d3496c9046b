"""The programs under `examples/` do what their README says."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
import yaml
from websockets.asyncio.client import connect as connect_websocket
from websockets.typing import Subprotocol

from router.server.websocket.messages import SUBPROTOCOL
from socialnet.client import CreatePostInput
from tests.e2e.conftest import System
from tests.e2e.people import new_person
from tests.support.services import ROOT, running

EXAMPLES = ROOT / "examples"
OWN_SUPERGRAPH = EXAMPLES / "own_supergraph"
SUBGRAPHS = ("catalog", "reviews")
PASSWORD = "a quiet harbour town"  # of everybody whom `new_person` registers


@asynccontextmanager
async def _started(*arguments: str) -> AsyncIterator[Process]:
    """`python <arguments>`, with its output; it is ended with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=PIPE, stderr=STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _line_with(process: Process, pattern: str) -> re.Match[str]:
    """The first line of the output, from here on, in which the pattern is found."""
    assert process.stdout is not None
    seen = []
    async with asyncio.timeout(30):
        async for line in process.stdout:
            seen.append(line.decode())
            if match := re.search(pattern, seen[-1]):
                return match
    raise AssertionError("".join(seen))


async def test_timeline_publishes_and_prints_the_newest_posts(system: System) -> None:
    async with new_person(system) as person:
        await person.client.create_post(CreatePostInput(text="The first one."))
        options = ("--url", system.graphql_url, "--email", f"{person.handle}@example.com")

        async with _started(
            str(EXAMPLES / "timeline.py"), *options, "--password", PASSWORD, "--text", "A second."
        ) as process:
            output = (await process.communicate())[0].decode().splitlines()

    assert process.returncode == 0
    assert output[0].startswith(f"@{person.handle} published {person.id.split('-')[0]}-")
    assert output[1] == "Somebody New has written 2 posts, at last:"
    assert [line.split("  ")[-1] for line in output[2:]] == ["A second.", "The first one."]


async def test_timeline_says_in_one_line_why_it_was_refused(system: System) -> None:
    options = ("--url", system.graphql_url, "--email", "nobody@example.com")

    async with _started(str(EXAMPLES / "timeline.py"), *options) as process:
        output = (await process.communicate())[0].decode()

    assert process.returncode == 1
    assert output.startswith("Refused: ")
    assert output.count("\n") == 1


async def test_live_posts_prints_a_post_when_it_is_published(system: System) -> None:
    async with new_person(system) as reader, new_person(system) as author:
        options = ("--url", system.graphql_url, "--email", f"{reader.handle}@example.com")
        arguments = (author.handle, "--count", "1", "--password", PASSWORD, *options)
        async with _started(str(EXAMPLES / "live_posts.py"), *arguments) as process:
            await _line_with(process, "Waiting for posts of Somebody New")
            printed = asyncio.ensure_future(_line_with(process, f"@{author.handle}: News."))
            # What is published before the subscription stands is not promised.
            while not printed.done():
                await author.client.create_post(CreatePostInput(text="News."))
                await asyncio.wait({printed}, timeout=0.2)

            await printed
            assert await process.wait() == 0


@pytest.fixture(scope="module")
async def own_supergraph() -> AsyncIterator[str]:
    """The address of the router in front of the two subgraphs, on free ports."""
    async with AsyncExitStack() as stack:
        urls = {}
        for name in SUBGRAPHS:
            arguments = ("-m", "uvicorn", f"{name}:app", "--app-dir", str(OWN_SUPERGRAPH))
            process = await stack.enter_async_context(_started(*arguments, "--port", "0"))
            urls[name] = (await _line_with(process, r"running on (http://\S+)"))[1] + "/graphql"
        config = str(OWN_SUPERGRAPH / "supergraph.yaml")
        router = await stack.enter_async_context(
            running(
                ["router", "serve", "--config", config, "--port", "0"],
                {"ROUTER_SUBGRAPH_URLS": orjson.dumps(urls).decode()},
            )
        )
        yield f"{router.base_url}/graphql"


@pytest.mark.xdist_group("own-supergraph")
async def test_own_supergraph_answers_across_its_subgraphs(own_supergraph: str) -> None:
    query = "{ bestReviews { stars book { title year rating } } }"
    async with httpx.AsyncClient(timeout=30) as client:
        answer = (await client.post(own_supergraph, json={"query": query})).json()

    assert answer == {
        "data": {
            "bestReviews": [
                {"stars": 5, "book": {"title": "Moby-Dick", "year": 1851, "rating": 4.0}},
                {"stars": 5, "book": {"title": "Pride and Prejudice", "year": 1813, "rating": 5.0}},
            ]
        }
    }


@pytest.mark.xdist_group("own-supergraph")
async def test_own_supergraph_completes_what_its_subscription_sends(own_supergraph: str) -> None:
    subscription = "subscription { reviewOfTheMoment { book { title } } }"
    async with connect_websocket(
        own_supergraph.replace("http", "ws", 1), subprotocols=[Subprotocol(SUBPROTOCOL)]
    ) as websocket:

        async def receive() -> dict[str, Any]:
            message: dict[str, Any] = orjson.loads(await websocket.recv())
            return message

        await websocket.send('{"type":"connection_init"}')
        assert (await receive())["type"] == "connection_ack"
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": subscription}}
        await websocket.send(orjson.dumps(subscribe).decode())
        event = await receive()

    assert event["payload"] == {"data": {"reviewOfTheMoment": {"book": {"title": "Moby-Dick"}}}}


@pytest.mark.parametrize("name", SUBGRAPHS)
async def test_exported_schema_of_an_own_subgraph_is_up_to_date(name: str) -> None:
    program = f"import {name}; print({name}.schema.as_str())"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=OWN_SUPERGRAPH, stdout=PIPE
    )
    exported, _ = await process.communicate()

    assert exported.decode() == (OWN_SUPERGRAPH / f"{name}.graphql").read_text()


def test_own_supergraph_is_served_where_the_readme_starts_it() -> None:
    config = yaml.safe_load((OWN_SUPERGRAPH / "supergraph.yaml").read_text())
    readme = (EXAMPLES / "README.md").read_text()

    for name in SUBGRAPHS:
        port = re.search(rf"uvicorn {name}:app .*--port (\d+)", readme)
        assert port is not None
        assert config["subgraphs"][name]["routing_url"] == f"http://localhost:{port[1]}/graphql"
