"""GraphQL over HTTP as it looks on a real connection, served by uvicorn."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import httpx
import pytest

from router.server.app import RouterApp
from tests.support.router_server import ThingsSubgraph, make_app, served


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def app(things: ThingsSubgraph) -> RouterApp:
    return make_app(things, max_body_bytes=10_000)


@pytest.fixture
async def address(app: RouterApp) -> AsyncGenerator[str, None]:
    async with served(app) as address:
        yield address


async def test_keeps_a_connection_over_many_requests(address: str) -> None:
    reader, writer = await asyncio.open_connection(*address.split(":"))
    body = b'{"query":"{greeting}"}'
    request = (
        b"POST /graphql HTTP/1.1\r\nHost: r\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )

    for _ in range(3):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"content-length: 37\r\n" in head
        assert await reader.readexactly(37) == b'{"data":{"greeting":"Hello, world!"}}'
    writer.close()
    await writer.wait_closed()


async def test_reads_a_body_in_pieces(address: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"query":', b'"{gree', b'ting}"}'):
            yield piece

    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        response = await client.post(
            "/graphql", content=pieces(), headers={"content-type": "application/json"}
        )

    assert response.json() == {"data": {"greeting": "Hello, world!"}}


async def test_stops_reading_a_body_over_the_limit(address: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 1000

    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        response = await client.post(
            "/graphql", content=endless(), headers={"content-type": "application/json"}
        )

    assert response.status_code == 413


async def test_head_is_get_without_the_body(address: str) -> None:
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        response = await client.head(
            "/graphql",
            params={"query": "{greeting}"},
            headers={"apollo-require-preflight": "1"},
        )

    assert response.status_code == 200
    assert response.headers["content-length"] == "37"
    assert response.content == b""


async def _hang_up(address: str, query: bytes, things: ThingsSubgraph) -> None:
    _, writer = await asyncio.open_connection(*address.split(":"))
    body = b'{"query":"%b"}' % query
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: r\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    await things.started.wait()
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_hangs_up_cancels_its_query(
    address: str, app: RouterApp, things: ThingsSubgraph
) -> None:
    await _hang_up(address, b"{ slow }", things)

    async with asyncio.timeout(5):
        await things.cancelled.wait()


async def test_a_mutation_is_finished_though_its_client_hung_up(
    address: str, things: ThingsSubgraph
) -> None:
    await _hang_up(address, b"mutation { slowBump }", things)

    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        things.release.set()
        response = await client.post("/graphql", json={"query": "mutation { bump }"})

    assert response.json() == {"data": {"bump": 2}}
    assert not things.cancelled.is_set()


async def test_shutdown_finishes_requests_in_flight(things: ThingsSubgraph) -> None:
    async with httpx.AsyncClient() as client:
        async with served(make_app(things)) as address:
            answer = asyncio.get_running_loop().create_task(
                client.post(f"http://{address}/graphql", json={"query": "{ slow }"})
            )
            await things.started.wait()
            asyncio.get_running_loop().call_later(0.05, things.release.set)

        assert (await answer).json() == {"data": {"slow": "at last"}}


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"POST /graphql HTTP/9.9\r\n\r\n", b"\r\n" * 100],
)
async def test_what_is_no_http_does_not_hurt(address: str, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(garbage)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert b"Traceback" not in answer
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        assert (await client.get("/health")).status_code == 200
