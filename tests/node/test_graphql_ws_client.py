"""The npm client `graphql-ws`, as browsers have it, against the router."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest

from tests.node.run import FOLDER
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served
from tests.support.token_issuers import SECRET, claims_of, issuer_setting

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm_packages")]

OTHER = SUPERGRAPH.replace("  failing: String\n", "  failing: String\n  other: Int\n")
WAITING = "subscription { waiting }"


class Client:
    """The running client and what it says."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def next(self) -> dict[str, Any] | None:
        """What happened next, None when the client has ended."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        said: dict[str, Any] | None = json.loads(line) if line else None
        return said

    async def rest(self) -> list[dict[str, Any]]:
        """What happens until the client ends."""
        said = []
        while (one := await self.next()) is not None:
            said.append(one)
        return said


@asynccontextmanager
async def client(
    address: str, *queries: str, retries: int = 0, params: dict[str, str] | None = None
) -> AsyncGenerator[Client, None]:
    process = await asyncio.create_subprocess_exec(
        "node", "subscribe_ws.cjs", cwd=FOLDER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdin is not None
    given = {
        "url": f"ws://{address}/graphql",
        "operations": [{"query": query} for query in queries],
        "retries": retries,
        "params": params or {},
    }
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_operations_of_all_kinds_run_on_one_connection() -> None:
    app = make_app(ThingsSubgraph())
    queries = ["subscription { ticks(count: 3) }", "{ greeting }", "mutation { bump }", "{ nope }"]

    async with served(app) as address, client(address, *queries) as browser:
        said = await browser.rest()

    by_id = [[one for one in said if one.get("id") == number] for number in range(4)]
    assert by_id[0] == [
        *({"id": 0, "next": {"data": {"ticks": number}}} for number in range(3)),
        {"id": 0, "complete": True},
    ]
    assert by_id[1] == [
        {"id": 1, "next": {"data": {"greeting": "Hello, world!"}}},
        {"id": 1, "complete": True},
    ]
    assert by_id[2] == [{"id": 2, "next": {"data": {"bump": 1}}}, {"id": 2, "complete": True}]
    [refused] = by_id[3]
    assert refused["error"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert [one for one in said if "connected" in one] == [{"connected": 1}]


async def test_the_client_subscribes_anew_after_a_reload() -> None:
    things = ThingsSubgraph()
    app = make_app(things, reload_drain_time=0)

    async with served(app) as address, client(address, WAITING, retries=1) as browser:
        assert [await browser.next() for _ in range(2)] == [
            {"connected": 1},
            {"id": 0, "next": {"data": {"waiting": 0}}},
        ]
        await app.reload(OTHER)
        again = [await browser.next() for _ in range(3)]
        things.release.set()
        rest = await browser.rest()

    assert again == [
        {"closed": 1012},
        {"connected": 2},
        {"id": 0, "next": {"data": {"waiting": 0}}},
    ]
    assert rest[:2] == [{"id": 0, "next": {"data": {"waiting": 1}}}, {"id": 0, "complete": True}]


async def test_an_expired_token_ends_the_subscription_with_an_error() -> None:
    app = make_app(ThingsSubgraph(), jwt_issuers=[issuer_setting()], jwt_leeway=3.0)
    token = jwt.encode(claims_of(exp=int(time.time())), SECRET, "HS256")
    params = {"authorization": f"Bearer {token}"}

    async with served(app) as address, client(address, WAITING, params=params) as browser:
        said = await browser.rest()

    assert said[:2] == [{"connected": 1}, {"id": 0, "next": {"data": {"waiting": 0}}}]
    assert said[2]["error"][0]["extensions"] == {"code": "SUBSCRIPTION_JWT_EXPIRED"}
