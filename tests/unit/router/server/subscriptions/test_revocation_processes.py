"""A logout reaches every worker of every router: real processes and a real Redis."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import jwt
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.router_processes import router_process
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served
from tests.support.token_issuers import SECRET, claims_of, issuer_setting

CONNECTIONS = 6  # to each router; with two workers both have some, or one has all


@asynccontextmanager
async def subscribed(url: str, token: str) -> AsyncGenerator[ClientConnection, None]:
    address = f"ws{url.removeprefix('http')}/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
        await socket.send(json.dumps(init))
        await socket.recv()
        payload = {"query": "subscription { waiting }"}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        await socket.recv()
        yield socket


async def close_code(socket: ClientConnection) -> int | None:
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code


def token(**claims: object) -> str:
    return jwt.encode(claims_of(iat=int(time.time()), **claims), SECRET, "HS256")


async def status(url: str, used: str) -> tuple[int, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{url}/graphql",
            json={"query": "{ greeting }"},
            headers={"authorization": f"Bearer {used}"},
        )
    errors = answer.json().get("errors")
    return answer.status_code, errors[0]["extensions"]["code"] if errors else ""


@pytest.mark.redis
async def test_a_logout_ends_what_is_open_in_all_processes(tmp_path: Path, redis_url: str) -> None:
    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(SUPERGRAPH)
    ada, bob = token(sid="s1"), token(sid="s2")
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(served(make_app(ThingsSubgraph())))
        environment = {
            "ROUTER_SUBGRAPH_URLS": json.dumps({"things": f"http://{address}/graphql"}),
            "ROUTER_JWT_ISSUERS": json.dumps([issuer_setting()]),
            "ROUTER_REVOCATION_REDIS_URL": redis_url,
        }
        routers = [
            router_process(supergraph, "--workers", "2", **environment),
            router_process(supergraph, **environment),
        ]
        urls = [(await stack.enter_async_context(router))[1] for router in routers]
        redis = await stack.enter_async_context(Redis.from_url(redis_url))
        theirs = [
            await stack.enter_async_context(subscribed(url, ada))
            for url in urls
            for _ in range(CONNECTIONS)
        ]
        other = await stack.enter_async_context(subscribed(urls[0], bob))

        await redis.xadd("router:revocations", {"sid": "s1"})

        codes = await asyncio.gather(*map(close_code, theirs))
        refused = [await status(url, ada) for url in urls]
        allowed = [await status(url, bob) for url in urls]
        late = await stack.enter_async_context(router_process(supergraph, **environment))
        refused.append(await status(late[1], ada))
        await (await other.ping())

    assert codes == [4403] * 2 * CONNECTIONS
    assert refused == [(401, "TOKEN_REVOKED")] * 3
    assert allowed == [(200, "")] * 2
