"""Rates over HTTP and WebSocket: statuses, headers, and whose tokens are taken."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.redis import running_redis
from tests.support.router_server import ThingsSubgraph, make_app, served

QUERY = {"query": "{ greeting }"}
MUTATION = {"query": "mutation { bump }"}
PROTOCOL = [Subprotocol("graphql-transport-ws")]


@asynccontextmanager
async def _router(
    things: ThingsSubgraph | None = None, address: str = "203.0.113.1", **settings: Any
) -> AsyncGenerator[httpx.AsyncClient, None]:
    app = make_app(things or ThingsSubgraph(), **settings)
    transport = httpx.ASGITransport(app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client
    await app.aclose()


async def _statuses(
    client: httpx.AsyncClient, bodies: Iterable[dict[str, Any]], **headers: str
) -> list[int]:
    return [
        (await client.post("/graphql", json=body, headers=headers)).status_code for body in bodies
    ]


@pytest.mark.parametrize("setting", ["rate_limit_address", "rate_limit_user"])
async def test_requests_over_a_rate_are_refused(setting: str) -> None:
    async with _router(None, **{setting: "3/3600"}) as client:
        assert await _statuses(client, [QUERY] * 3) == [200] * 3
        response = await client.post("/graphql", json=QUERY)
        metrics = (await client.get("/metrics")).text

    assert response.status_code == 429  # also in application/json: the request was not looked at
    assert 1190 <= int(response.headers["retry-after"]) <= 1200
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfter"] == int(response.headers["retry-after"])
    assert 'router_request_errors_total{code="RATE_LIMITED"} 1.0' in metrics


async def test_answers_say_what_is_left() -> None:
    async with _router(rate_limit_address="3/3600", rate_limit_mutations="1/60") as client:
        response = await client.post("/graphql", json=MUTATION)

    assert response.headers.get_list("ratelimit-policy") == [
        '"address";q=3;w=3600',
        '"mutations";q=1;w=60',
    ]
    assert response.headers.get_list("ratelimit") == [
        '"address";r=2;t=1200',
        '"mutations";r=0;t=60',
    ]


async def test_without_rates_answers_say_nothing() -> None:
    async with _router() as client:
        response = await client.post("/graphql", json=QUERY)

    assert not {name for name in response.headers if name.startswith("ratelimit")}


async def test_pages_of_other_origins_may_read_the_headers() -> None:
    async with _router(rate_limit_address="3/60", cors_origins=["https://a.example"]) as client:
        response = await client.post(
            "/graphql", json=QUERY, headers={"origin": "https://a.example"}
        )

    exposed = response.headers["access-control-expose-headers"]
    assert exposed == "x-request-id, ratelimit, ratelimit-policy, retry-after"


async def test_requests_are_counted_before_their_body_is_read() -> None:
    async with _router(rate_limit_address="1/3600") as client:
        for status in (400, 429):
            response = await client.post(
                "/graphql", content=b"{", headers={"content-type": "application/json"}
            )
            assert response.status_code == status


async def test_mutations_have_a_rate_of_their_own() -> None:
    things = ThingsSubgraph()
    async with _router(things, rate_limit_mutations="1/3600") as client:
        assert await _statuses(client, [MUTATION, MUTATION, QUERY]) == [200, 429, 200]

    assert things.count == 1


async def test_operations_take_what_they_cost() -> None:
    costly = {"query": "mutation { a: bump b: bump }"}
    async with _router(rate_limit_cost="25/3600") as client:
        assert await _statuses(client, [costly, costly, costly, QUERY]) == [200, 200, 429, 200]


async def test_addresses_behind_a_trusted_proxy_are_told_apart() -> None:
    settings: dict[str, Any] = {"rate_limit_address": "1/3600", "trusted_proxies": ["10.0.0.0/8"]}
    async with _router(address="10.0.0.1", **settings) as client:
        asked = [
            (await _statuses(client, [QUERY], **{"x-forwarded-for": address}))[0]
            for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1", "6.6.6.6, 203.0.113.2")
        ]

    assert asked == [200, 200, 429, 429]


async def test_nobody_else_is_believed_about_addresses() -> None:
    async with _router(rate_limit_address="1/3600") as client:
        asked = [
            (await _statuses(client, [QUERY], **{"x-forwarded-for": address}))[0]
            for address in ("203.0.113.7", "203.0.113.8")
        ]

    assert asked == [200, 429]


async def test_the_server_believes_no_header_that_is_not_configured() -> None:
    app = make_app(ThingsSubgraph(), rate_limit_address="1/3600")
    async with served(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        asked = [
            (await _statuses(client, [QUERY], **{"x-forwarded-for": forged}))[0]
            for forged in ("203.0.113.7", "203.0.113.8")
        ]

    assert asked == [200, 429]


@pytest.mark.redis
async def test_workers_share_their_rates_in_redis() -> None:
    async with running_redis() as url:
        settings: dict[str, Any] = {
            "rate_limit_address": "3/3600",
            "rate_limit_redis_url": url,
            "rate_limit_redis_timeout": 10.0,  # a busy machine would fall back to local rates
        }
        async with _router(**settings) as one, _router(**settings) as other:
            asked = [
                (await _statuses(client, [QUERY]))[0] for client in (one, other, one, other, one)
            ]

    assert asked == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [("local", [200, 429]), ("open", [200, 200]), ("closed", [503, 503])],
)
async def test_without_redis_it_goes_as_configured(mode: str, statuses: list[int]) -> None:
    settings: dict[str, Any] = {
        "rate_limit_redis_url": "redis://127.0.0.1:1/0",
        "rate_limit_without_redis": mode,
    }
    async with _router(rate_limit_address="1/3600", **settings) as client:
        assert await _statuses(client, [QUERY] * 2) == statuses
        assert "router_rate_limit_failures_total 1.0" in (await client.get("/metrics")).text


async def _run(socket: Any, identifier: str, query: str) -> dict[str, Any]:
    message = {"id": identifier, "type": "subscribe", "payload": {"query": query}}
    await socket.send(orjson.dumps(message).decode())
    first: dict[str, Any] = orjson.loads(await socket.recv())
    if first["type"] == "next":
        assert orjson.loads(await socket.recv())["type"] == "complete"
    return first


async def test_operations_on_a_websocket_take_tokens_and_the_connection_stays() -> None:
    app = make_app(ThingsSubgraph(), rate_limit_user="2/3600", rate_limit_mutations="1/3600")
    async with (
        served(app) as address,
        connect(f"ws://{address}/graphql", subprotocols=PROTOCOL) as socket,
    ):
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        assert (await _run(socket, "1", "mutation { bump }"))["type"] == "next"
        refused = await _run(socket, "2", "mutation { bump }")
        third = await _run(socket, "3", "{ greeting }")
        await socket.send('{"type":"ping"}')
        assert orjson.loads(await socket.recv())["type"] == "pong"

    for message in (refused, third):
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert message["payload"][0]["extensions"]["retryAfter"] > 0


async def test_connections_of_one_address_are_bounded() -> None:
    app = make_app(ThingsSubgraph(), websocket_max_connections_per_address=1)
    async with served(app) as address:
        url = f"ws://{address}/graphql"
        async with connect(url, subprotocols=PROTOCOL):
            with pytest.raises(InvalidStatus) as caught:
                await connect(url, subprotocols=PROTOCOL)
            assert caught.value.response.status_code == 429
        async with connect(url, subprotocols=PROTOCOL) as socket:
            await socket.send('{"type":"connection_init"}')
            assert orjson.loads(await socket.recv())["type"] == "connection_ack"


async def test_connections_of_one_user_are_bounded() -> None:
    app = make_app(ThingsSubgraph(), websocket_max_connections_per_user=1)
    async with (
        served(app) as address,
        connect(f"ws://{address}/graphql", subprotocols=PROTOCOL) as first,
        connect(f"ws://{address}/graphql", subprotocols=PROTOCOL) as second,
    ):
        await first.send('{"type":"connection_init"}')
        await first.recv()
        await second.send('{"type":"connection_init"}')
        with pytest.raises(ConnectionClosed) as caught:
            await second.recv()

    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4430
