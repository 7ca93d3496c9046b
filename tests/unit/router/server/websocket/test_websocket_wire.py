"""graphql-transport-ws as it looks on a real connection, served by uvicorn."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from router.server.app import RouterApp
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served
from tests.support.token_issuers import SECRET, claims_of, issuer_setting

PROTOCOL = Subprotocol("graphql-transport-ws")


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def app(things: ThingsSubgraph) -> RouterApp:
    return make_app(things, websocket_max_operations=3)


@pytest.fixture
async def address(app: RouterApp) -> AsyncGenerator[str, None]:
    async with served(app) as address:
        yield address


@asynccontextmanager
async def opened(address: str, **options: Any) -> AsyncGenerator[ClientConnection, None]:
    async with connect(
        f"ws://{address}/graphql", subprotocols=[PROTOCOL], compression=None, **options
    ) as socket:
        yield socket


@asynccontextmanager
async def initialised(
    address: str, payload: dict[str, Any] | None = None
) -> AsyncGenerator[ClientConnection, None]:
    async with opened(address) as socket:
        await send(socket, {"type": "connection_init", "payload": payload or {}})
        assert await receive(socket) == {"type": "connection_ack"}
        yield socket


async def send(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(orjson.dumps(message).decode())


async def subscribe(socket: ClientConnection, identifier: str, query: str, **more: Any) -> None:
    payload = {"query": query, **more}
    await send(socket, {"type": "subscribe", "id": identifier, "payload": payload})


async def receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = orjson.loads(await socket.recv())
        return message


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Return code and reason that the server closes with, skipping messages before it."""

    async def read_on() -> None:
        while True:
            await socket.recv()

    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(read_on(), 5)
    frame = caught.value.rcvd
    assert frame is not None
    return frame.code, frame.reason


async def test_a_subscription_sends_every_event_and_completes(address: str) -> None:
    async with initialised(address) as socket:
        await subscribe(
            socket, "1", "subscription($n: Int!) { ticks(count: $n) }", variables={"n": 3}
        )

        messages = [await receive(socket) for _ in range(4)]

    assert messages == [
        {"id": "1", "type": "next", "payload": {"data": {"ticks": 0}}},
        {"id": "1", "type": "next", "payload": {"data": {"ticks": 1}}},
        {"id": "1", "type": "next", "payload": {"data": {"ticks": 2}}},
        {"id": "1", "type": "complete"},
    ]


async def test_queries_and_mutations_run_over_the_same_connection(address: str) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "q", "{ greeting }")
        query = [await receive(socket), await receive(socket)]
        await subscribe(socket, "m", "mutation { bump }")
        mutation = [await receive(socket), await receive(socket)]

    assert query == [
        {"id": "q", "type": "next", "payload": {"data": {"greeting": "Hello, world!"}}},
        {"id": "q", "type": "complete"},
    ]
    assert mutation[0]["payload"] == {"data": {"bump": 1}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ greeting", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { big(size: $n) }", "BAD_USER_INPUT"),
        ("subscription { ticks(count: 1) waiting }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_refused_operation_is_an_error_message_and_the_connection_goes_on(
    address: str, query: str, code: str
) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "1", query)
        refusal = await receive(socket)
        await subscribe(socket, "1", "{ greeting }")
        answer = await receive(socket)

    assert (refusal["id"], refusal["type"]) == ("1", "error")
    assert refusal["payload"][0]["extensions"]["code"] == code
    assert answer["type"] == "next"


async def test_complete_by_the_client_ends_the_subscription_upstream(
    address: str, things: ThingsSubgraph
) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "1", "subscription { waiting }")
        assert (await receive(socket))["payload"] == {"data": {"waiting": 0}}

        await send(socket, {"type": "complete", "id": "1"})
        async with asyncio.timeout(5):
            await things.cancelled.wait()
        await subscribe(socket, "1", "{ greeting }")  # the id is free again

        assert (await receive(socket))["payload"] == {"data": {"greeting": "Hello, world!"}}


async def test_complete_for_an_unknown_id_is_ignored(address: str) -> None:
    async with initialised(address) as socket:
        await send(socket, {"type": "complete", "id": "gone"})
        await send(socket, {"type": "ping"})

        assert await receive(socket) == {"type": "pong"}


@pytest.mark.parametrize("query", ["subscription { waiting }", "{ slow }"])
async def test_a_client_that_leaves_cancels_everything(
    address: str, app: RouterApp, things: ThingsSubgraph, query: str
) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "1", query)
        async with asyncio.timeout(5):
            await things.started.wait()

    async with asyncio.timeout(5):
        await things.cancelled.wait()


async def test_ping_is_answered_with_its_payload_even_before_the_handshake(address: str) -> None:
    async with opened(address) as socket:
        await send(socket, {"type": "ping", "payload": {"n": 1}})
        await send(socket, {"type": "pong"})

        assert await receive(socket) == {"type": "pong", "payload": {"n": 1}}


async def test_subscribing_before_the_handshake_is_4401(address: str) -> None:
    async with opened(address) as socket:
        await subscribe(socket, "1", "{ greeting }")

        assert await closed(socket) == (4401, "Unauthorized")


async def test_a_second_connection_init_is_4429(address: str) -> None:
    async with initialised(address) as socket:
        await send(socket, {"type": "connection_init"})

        assert await closed(socket) == (4429, "Too many initialisation requests")


async def test_no_connection_init_in_time_is_4408(things: ThingsSubgraph) -> None:
    async with (
        served(make_app(things, websocket_init_timeout=0.05)) as address,
        opened(address) as socket,
    ):
        assert await closed(socket) == (4408, "Connection initialisation timeout")


async def test_a_connection_init_in_time_stops_the_clock(things: ThingsSubgraph) -> None:
    async with (
        served(make_app(things, websocket_init_timeout=0.1)) as address,
        initialised(address) as socket,
    ):
        await asyncio.sleep(0.2)  # longer than the clock would have run
        await send(socket, {"type": "ping"})

        assert await receive(socket) == {"type": "pong"}


async def test_an_id_in_use_is_4409(address: str) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "1", "subscription { waiting }")
        await subscribe(socket, "1", "{ greeting }")

        assert await closed(socket) == (4409, "Subscriber for 1 already exists")


@pytest.mark.parametrize(
    "frame", ["nonsense", "[]", '{"type":"next"}', '{"type":"subscribe","id":"1"}', b"\x00"]
)
async def test_an_invalid_message_is_4400(address: str, frame: str | bytes) -> None:
    async with initialised(address) as socket:
        await socket.send(frame)

        code, reason = await closed(socket)

    assert code == 4400
    assert reason


async def test_an_unusable_token_in_connection_init_is_4400(address: str) -> None:
    async with opened(address) as socket:
        await send(socket, {"type": "connection_init", "payload": {"authorization": 7}})

        assert (await closed(socket))[0] == 4400


@pytest.mark.parametrize("subprotocols", [None, [Subprotocol("graphql-ws")]])
async def test_another_subprotocol_is_4406(
    address: str, subprotocols: list[Subprotocol] | None
) -> None:
    async with connect(f"ws://{address}/graphql", subprotocols=subprotocols) as socket:
        assert socket.subprotocol is None
        assert await closed(socket) == (4406, "Subprotocol not acceptable")


async def test_a_message_over_the_limit_is_1009(things: ThingsSubgraph) -> None:
    async with (
        served(make_app(things, max_body_bytes=1000)) as address,
        initialised(address) as socket,
    ):
        await subscribe(socket, "1", "{ greeting }" + " " * 2000)

        assert (await closed(socket))[0] == 1009


async def test_operations_per_connection_are_bounded(address: str) -> None:
    async with initialised(address) as socket:
        for number in range(4):
            await subscribe(socket, str(number), "subscription { waiting }")
        messages = [await receive(socket) for _ in range(4)]

    [refusal] = [message for message in messages if message["type"] == "error"]
    assert refusal["id"] == "3"
    assert refusal["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"


async def test_the_tokens_of_connection_init_reach_the_subgraph(
    address: str, things: ThingsSubgraph
) -> None:
    async with initialised(address, {"Authorization": "Bearer t", "secret": "x"}) as socket:
        await subscribe(socket, "1", "subscription { ticks(count: 0) }")
        assert (await receive(socket))["type"] == "complete"
        await subscribe(socket, "2", "{ greeting }")
        await receive(socket)

    subscription, query = things.requests
    assert dict(subscription.connection_init) == {"authorization": "Bearer t"}
    assert ("authorization", "Bearer t") in query.headers


async def test_debugging_is_possible_over_the_connection(address: str) -> None:
    async with initialised(address, {"headers": {"x-router-debug": "1"}}) as socket:
        await subscribe(socket, "1", "subscription { ticks(count: 1) }")
        event = await receive(socket)

    assert "Subscription" in event["payload"]["extensions"]["plan"]


async def test_a_client_that_does_not_read_is_closed_with_4413(things: ThingsSubgraph) -> None:
    app = make_app(things, websocket_queue_bytes=200_000)
    async with served(app) as address, initialised(address) as socket:
        socket.transport.pause_reading()
        await subscribe(socket, "1", "subscription { big(size: 50000) }")
        async with asyncio.timeout(20):
            await things.cancelled.wait()
        socket.transport.resume_reading()

        assert await closed(socket) == (4413, "Too much waits to be sent")


async def test_a_client_that_never_reads_again_is_given_up(things: ThingsSubgraph) -> None:
    app = make_app(things, websocket_queue_bytes=200_000, websocket_close_timeout=0.05)
    async with served(app) as address, opened(address, close_timeout=0.1) as socket:
        await send(socket, {"type": "connection_init"})
        await receive(socket)
        socket.transport.pause_reading()
        await subscribe(socket, "1", "subscription { big(size: 50000) }")
        async with asyncio.timeout(20), httpx.AsyncClient() as client:
            await things.cancelled.wait()
            while True:  # what is seen from outside has no event to wait for
                metrics = await client.get(f"http://{address}/metrics")
                if "router_websocket_connections 0.0" in metrics.text:
                    break


async def test_shutdown_closes_connections_with_1001(things: ThingsSubgraph) -> None:
    async with opened_until_shutdown(things) as socket:
        assert await closed(socket) == (1001, "Going away")

    assert things.cancelled.is_set()


@asynccontextmanager
async def opened_until_shutdown(
    things: ThingsSubgraph,
) -> AsyncGenerator[ClientConnection, None]:
    serving = served(make_app(things))
    address = await serving.__aenter__()
    async with initialised(address) as socket:
        await subscribe(socket, "1", "subscription { waiting }")
        await receive(socket)
        await serving.__aexit__(None, None, None)
        yield socket


@pytest.mark.parametrize("revoked", [None, "jti", "sid", "sub"])
async def test_the_end_of_a_session_ends_its_operations_and_closes_with_4403(
    things: ThingsSubgraph, revoked: str | None
) -> None:
    app = make_app(things, jwt_issuers=[issuer_setting()], jwt_leeway=1.3)
    exp = int(time.time()) + (0 if revoked is None else 600)
    token = jwt.encode(claims_of(exp=exp, jti="jti", sid="sid", sub="sub"), SECRET, "HS256")
    async with (
        served(app) as address,
        initialised(address, {"authorization": f"Bearer {token}"}) as socket,
    ):
        await subscribe(socket, "1", "subscription { waiting }")
        await receive(socket)

        if revoked is not None:
            assert app.sessions.revoke(revoked, revoked) == 1
        ended = await receive(socket)
        code, _ = await closed(socket)
        async with asyncio.timeout(5):
            await things.cancelled.wait()

    assert (ended["type"], ended["id"], code) == ("error", "1", 4403)
    assert ended["payload"][0]["extensions"] == {
        "code": "SUBSCRIPTION_JWT_EXPIRED" if revoked is None else "SUBSCRIPTION_SESSION_REVOKED"
    }
    assert app.sessions.revoke("sid", "sid") == 0


async def test_a_mutation_that_has_begun_is_finished_though_its_client_leaves(
    address: str, things: ThingsSubgraph
) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "1", "mutation { slowBump }")
        async with asyncio.timeout(5):
            await things.started.wait()
        await send(socket, {"type": "complete", "id": "1"})
        await send(socket, {"type": "ping"})
        assert await receive(socket) == {"type": "pong"}

    things.release.set()
    async with initialised(address) as socket:
        await subscribe(socket, "1", "mutation { bump }")
        count = (await receive(socket))["payload"]["data"]["bump"]

    assert count == 2
    assert not things.cancelled.is_set()


async def test_draining_closes_connections_and_refuses_new_ones(
    address: str, app: RouterApp
) -> None:
    async with initialised(address) as socket:
        app.drain()

        assert await closed(socket) == (1001, "Going away")
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://{address}/graphql", subprotocols=[PROTOCOL])
    assert caught.value.response.status_code == 503


@pytest.mark.parametrize(
    ("settings", "origin", "allowed"),
    [
        ({}, None, True),
        ({}, "http://{address}", True),
        ({}, "https://evil.example", False),
        ({"cors_origins": ("https://app.example",)}, "https://app.example", True),
        ({"cors_origins": ("*",)}, "https://evil.example", True),
        ({"websocket_check_origin": False}, "https://evil.example", True),
    ],
)
async def test_pages_of_other_origins_cannot_connect(
    things: ThingsSubgraph, settings: dict[str, Any], origin: str | None, allowed: bool
) -> None:
    async with served(make_app(things, **settings)) as address:
        headers = {} if origin is None else {"origin": origin.format(address=address)}
        connecting = connect(
            f"ws://{address}/graphql", subprotocols=[PROTOCOL], additional_headers=headers
        )
        if allowed:
            async with connecting as socket:
                assert socket.subprotocol == PROTOCOL
        else:
            with pytest.raises(InvalidStatus) as caught:
                await connecting
            assert caught.value.response.status_code == 403


async def test_another_path_is_refused(address: str) -> None:
    with pytest.raises(InvalidStatus):
        await connect(f"ws://{address}/other", subprotocols=[PROTOCOL])


async def test_a_new_supergraph_leaves_running_subscriptions_alone(
    address: str, app: RouterApp, things: ThingsSubgraph
) -> None:
    async with initialised(address) as socket:
        await subscribe(socket, "old", "subscription { waiting }")
        assert (await receive(socket))["payload"] == {"data": {"waiting": 0}}

        await app.reload(SUPERGRAPH.replace("  bump: Int!\n", ""))
        await subscribe(socket, "new", "mutation { bump }")
        refused = await receive(socket)
        things.release.set()
        going_on = await receive(socket)

    assert (refused["id"], refused["type"]) == ("new", "error")
    assert going_on["payload"] == {"data": {"waiting": 1}}
