"""Answers in parts as they look on a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
import orjson
import pytest

from router.server.app import RouterApp
from tests.support.router_server import ThingsSubgraph, make_app, served

ACCEPT = (
    "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=.9"
)
SLOW = '{ greeting ... @defer(label: "late") { slow } }'


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def app(things: ThingsSubgraph) -> RouterApp:
    return make_app(things)


@pytest.fixture
async def address(app: RouterApp) -> AsyncGenerator[str, None]:
    async with served(app) as address:
        yield address


def _request(query: str, accept: str = ACCEPT) -> bytes:
    body = orjson.dumps({"query": query})
    return (
        b"POST /graphql HTTP/1.1\r\nHost: r\r\nContent-Type: application/json\r\n"
        b"Accept: %b\r\nContent-Length: %d\r\n\r\n%b" % (accept.encode(), len(body), body)
    )


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = int(await reader.readline(), 16)
    chunk = await reader.readexactly(size)
    assert await reader.readexactly(2) == b"\r\n"
    return chunk


async def test_each_part_is_a_chunk_that_ends_with_the_boundary(
    address: str, things: ThingsSubgraph
) -> None:
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(_request(SLOW))

    head = await reader.readuntil(b"\r\n\r\n")
    first = await _chunk(reader)
    await things.started.wait()
    things.release.set()
    last = await _chunk(reader)
    end = await _chunk(reader)
    writer.close()
    await writer.wait_closed()

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'content-type: multipart/mixed; boundary="-"; deferSpec=20220824\r\n' in head
    assert b"content-length" not in head
    part = b"\r\ncontent-type: application/json\r\n\r\n%b\r\n---"
    assert first == b"\r\n---" + part % b'{"data":{"greeting":"Hello, world!"},"hasNext":true}'
    incremental = b'[{"data":{"slow":"at last"},"path":[],"label":"late"}]'
    assert last == part % (b'{"incremental":%b,"hasNext":false}' % incremental) + b"--\r\n"
    assert end == b""


@pytest.mark.parametrize("accept", ["application/json", "*/*", "multipart/mixed;deferSpec=1, */*"])
async def test_who_takes_no_parts_gets_the_whole_answer(
    address: str, things: ThingsSubgraph, accept: str
) -> None:
    things.release.set()

    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        response = await client.post("/graphql", json={"query": SLOW}, headers={"accept": accept})

    assert response.json() == {"data": {"greeting": "Hello, world!", "slow": "at last"}}
    assert len(things.requests) == 1
    assert b"defer" not in things.requests[0].body


async def test_who_takes_nothing_but_parts_gets_json_where_nothing_is_deferred(
    address: str,
) -> None:
    headers = {"accept": "multipart/mixed;deferSpec=20220824"}

    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        whole = await client.post("/graphql", json={"query": "{ greeting }"}, headers=headers)
        wrong = await client.post("/graphql", json={"query": "{ nothing }"}, headers=headers)

    assert whole.json() == {"data": {"greeting": "Hello, world!"}}
    assert whole.headers["content-type"] == "application/json; charset=utf-8"
    assert wrong.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_client_that_hangs_up_between_parts_ends_the_rest(
    address: str, things: ThingsSubgraph
) -> None:
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(_request(SLOW))
    await reader.readuntil(b'"hasNext":true}\r\n---\r\n')
    await things.started.wait()
    writer.close()
    await writer.wait_closed()

    async with asyncio.timeout(5):
        await things.cancelled.wait()


async def test_the_deadline_ends_what_is_deferred(things: ThingsSubgraph) -> None:
    async with (
        served(make_app(things, request_timeout=0.1)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        response = await client.post("/graphql", json={"query": SLOW}, headers={"accept": ACCEPT})

    assert b'"incremental":[{"data":{"slow":null},"path":[],"label":"late","errors":[' in (
        response.content
    )
    assert response.content.endswith(b'"hasNext":false}\r\n-----\r\n')


async def test_a_defect_while_parts_are_sent_ends_them_with_its_request_id(
    address: str, things: ThingsSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = things.execute

    async def execute(request: object) -> object:
        if b"slow" in request.body:  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return await original(request)  # type: ignore[arg-type]

    monkeypatch.setattr(things, "execute", execute)
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        response = await client.post("/graphql", json={"query": SLOW}, headers={"accept": ACCEPT})

    assert response.status_code in {200, 500}
    assert b"INTERNAL_SERVER_ERROR" in response.content
    assert b"ZeroDivision" not in response.content


async def test_what_defers_too_much_is_answered_at_once(things: ThingsSubgraph) -> None:
    deferred = " ".join(f"... @defer {{ g{n}: greeting }}" for n in range(4))
    seen = []
    for bound in (3, 4):
        async with (
            served(make_app(things, max_deferred_fetches=bound)) as address,
            httpx.AsyncClient(base_url=f"http://{address}") as client,
        ):
            query = {"query": f"{{ {deferred} }}"}
            response = await client.post("/graphql", json=query, headers={"accept": ACCEPT})
        seen.append(response.headers["content-type"].partition(";")[0])

    assert seen == ["application/graphql-response+json", "multipart/mixed"]


async def test_a_subscription_cannot_defer(address: str) -> None:
    query = "subscription { ... @defer { waiting } }"

    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        response = await client.post("/graphql", json={"query": query})

    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_clients_see_the_directive_unless_it_is_off(things: ThingsSubgraph) -> None:
    query = "{ __schema { directives { name } } }"
    seen = []
    for defer in (True, False):
        async with (
            served(make_app(things, defer=defer)) as address,
            httpx.AsyncClient(base_url=f"http://{address}") as client,
        ):
            shown = (await client.post("/graphql", json={"query": query})).json()
            answer = (
                await client.post("/graphql", json={"query": SLOW.replace("slow", "failing")})
            ).json()
        names = {directive["name"] for directive in shown["data"]["__schema"]["directives"]}
        seen.append(("defer" in names, "data" in answer))

    assert seen == [(True, True), (False, False)]
