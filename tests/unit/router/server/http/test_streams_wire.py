"""Subscriptions over HTTP as they look on a real connection, served by uvicorn."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import jwt
import pytest
from typing_extensions import override

from router.executor.context import Json, JsonObject
from router.executor.transport.base import (
    SubgraphRequest,
    SubscriptionError,
    SubscriptionFailure,
)
from router.server.app import RouterApp
from tests.support.http_streams import EVENT_STREAM, MULTIPART, streamed
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served
from tests.support.token_issuers import SECRET, claims_of, issuer_setting

TICKS = "subscription { ticks(count: 3) }"
WAITING = "subscription { waiting }"


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


def sample(app: RouterApp, name: str, **labels: str) -> float | None:
    return app.metrics.registry.get_sample_value(name, labels)


async def test_a_subscription_is_an_event_stream(address: str) -> None:
    async with streamed(address, TICKS) as stream:
        events = [await stream.event() for _ in range(5)]
        rest = await stream.rest()

    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-store"
    assert "content-encoding" not in stream.headers
    assert events == [
        (":", None),
        ("next", {"data": {"ticks": 0}}),
        ("next", {"data": {"ticks": 1}}),
        ("next", {"data": {"ticks": 2}}),
        ("complete", None),
    ]
    assert rest == b""


async def test_a_subscription_is_a_multipart_stream(address: str) -> None:
    async with streamed(address, TICKS, accept=MULTIPART) as stream:
        await stream.open_parts()
        parts = [await stream.part() for _ in range(4)]

    assert (
        stream.headers["content-type"]
        == 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'
    )
    assert parts == [
        {"payload": {"data": {"ticks": 0}}},
        {"payload": {"data": {"ticks": 1}}},
        {"payload": {"data": {"ticks": 2}}},
        None,
    ]


async def test_a_part_can_be_read_before_the_next_one_is_known(address: str) -> None:
    async with streamed(address, WAITING, accept=MULTIPART) as stream:
        await stream.open_parts()

        assert await stream.part() == {"payload": {"data": {"waiting": 0}}}


async def test_events_come_when_they_happen(address: str, things: ThingsSubgraph) -> None:
    async with streamed(address, WAITING) as stream:
        assert await stream.event() == (":", None)
        assert await stream.event() == ("next", {"data": {"waiting": 0}})
        things.release.set()
        assert await stream.event() == ("next", {"data": {"waiting": 1}})


async def test_an_event_stream_can_be_asked_for_with_get_by_our_own_pages(address: str) -> None:
    request = (
        b"GET /graphql?query=subscription%7Bticks(count:1)%7D HTTP/1.1\r\nhost: router\r\n"
        b"accept: text/event-stream\r\nsec-fetch-site: same-origin\r\n\r\n"
    )
    async with streamed(address, "", raw=request) as stream:
        events = [await stream.event() for _ in range(3)]

    assert events[1:] == [("next", {"data": {"ticks": 0}}), ("complete", None)]


async def test_another_sites_page_cannot_open_an_event_stream(
    address: str, things: ThingsSubgraph
) -> None:
    request = (
        b"GET /graphql?query=subscription%7Bticks(count:1)%7D HTTP/1.1\r\nhost: router\r\n"
        b"accept: text/event-stream\r\nsec-fetch-site: cross-site\r\n\r\n"
    )
    async with streamed(address, "", raw=request) as stream:
        body = await stream.plain()

    assert stream.status == 400
    assert body["errors"][0]["extensions"]["code"] == "CSRF_ERROR"
    assert things.requests == []


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ greeting }", {"greeting": "Hello, world!"}), ("mutation { bump }", {"bump": 1})],
)
async def test_queries_and_mutations_have_a_stream_of_one_event(
    address: str, query: str, data: dict[str, Any]
) -> None:
    async with streamed(address, query) as stream:
        events = [await stream.event() for _ in range(3)]
        rest = await stream.rest()

    assert events == [(":", None), ("next", {"data": data}), ("complete", None)]
    assert rest == b""


async def test_a_query_is_answered_in_one_piece_where_the_client_takes_that(address: str) -> None:
    async with streamed(
        address, "{ greeting }", accept=f"{MULTIPART},application/json;q=0.9"
    ) as stream:
        body = await stream.plain()

    assert stream.headers["content-type"] == "application/json; charset=utf-8"
    assert body == {"data": {"greeting": "Hello, world!"}}


async def test_a_document_with_mistakes_is_refused_within_the_event_stream(address: str) -> None:
    async with streamed(address, "subscription { nope }") as stream:
        _, (name, response), last = [await stream.event() for _ in range(3)]

    assert (stream.status, name, last) == (200, "next", ("complete", None))
    assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_document_with_mistakes_is_refused_within_the_multipart_stream(
    address: str,
) -> None:
    async with streamed(address, "subscription { nope }", accept=MULTIPART) as stream:
        await stream.open_parts()
        part, last = await stream.part(), await stream.part()

    assert last is None
    assert part["payload"]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_request_that_is_none_keeps_its_status(address: str) -> None:
    request = (
        b"POST /graphql HTTP/1.1\r\nhost: router\r\naccept: text/event-stream\r\n"
        b"content-type: application/json\r\ncontent-length: 1\r\n\r\n{"
    )
    async with streamed(address, "", raw=request) as stream:
        body = await stream.plain()

    assert stream.status == 400
    assert body["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "multipart/mixed",
        "multipart/mixed;subscriptionSpec=2.0",
        "text/event-stream;q=0, */*",
    ],
)
async def test_a_subscription_needs_a_client_that_asks_for_a_stream(
    address: str, accept: str
) -> None:
    async with streamed(address, TICKS, accept=accept) as stream:
        body = await stream.plain()

    assert stream.status == 406
    assert body["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


async def test_a_client_that_hangs_up_ends_its_subscription(
    app: RouterApp, address: str, things: ThingsSubgraph
) -> None:
    async with streamed(address, WAITING) as stream:
        await stream.event()
        await stream.event()
        assert sample(app, "router_http_streams", protocol="sse") == 1
        stream.abort()

        async with asyncio.timeout(5):
            await things.cancelled.wait()

    assert len(things.requests) == 1
    await asyncio.wait_for(_until_no_stream(app), 5)
    labels = {"kind": "subscription", "operation": "", "outcome": "cancelled"}
    assert sample(app, "router_operations_total", **labels) == 1
    assert app._generations.current.subscriptions.members == ()


async def test_a_quiet_stream_shows_signs_of_life(things: ThingsSubgraph) -> None:
    app = make_app(things, stream_heartbeat_interval=0.02)
    async with served(app) as address:
        async with streamed(address, WAITING) as stream:
            events = [await stream.event() for _ in range(4)]
        async with streamed(address, WAITING, accept=MULTIPART) as stream:
            await stream.open_parts()
            parts = [await stream.part() for _ in range(3)]

    assert sorted(name for name, _ in events) == [":", ":", ":", "next"]
    assert sorted(map(str, parts)) == ["{'payload': {'data': {'waiting': 0}}}", "{}", "{}"]


@pytest.mark.parametrize("accept", [EVENT_STREAM, MULTIPART])
async def test_a_slow_client_is_told_that_it_missed_something(
    things: ThingsSubgraph, accept: str
) -> None:
    app = make_app(things, stream_queue_bytes=100_000, stream_close_timeout=5)
    query = "subscription { big(size: 50000) }"
    async with served(app) as address, streamed(address, query, accept=accept) as stream:
        async with asyncio.timeout(5):
            await things.cancelled.wait()  # the bound was reached while nothing was read
        body = await stream.rest()

    assert b'"SUBSCRIPTION_OVERFLOW"' in body
    assert body.endswith(b"event: complete\ndata:\n\n" if accept == EVENT_STREAM else b"--\r\n")
    protocol = "sse" if accept == EVENT_STREAM else "multipart"
    reason = {"protocol": protocol, "reason": "SUBSCRIPTION_OVERFLOW"}
    assert sample(app, "router_http_streams_closed_total", **reason) == 1


async def test_a_client_that_never_reads_is_cut_off(things: ThingsSubgraph) -> None:
    app = make_app(things, stream_queue_bytes=100_000, stream_close_timeout=0.1)
    query = "subscription { big(size: 50000) }"
    async with served(app) as address, streamed(address, query) as stream:
        async with asyncio.timeout(5):
            await things.cancelled.wait()
        await asyncio.wait_for(_until_no_stream(app), 5)
        await stream.closed()


async def _until_no_stream(app: RouterApp) -> None:
    while sample(app, "router_http_streams", protocol="sse") != 0:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0.01)


async def test_streams_end_when_the_router_stops(app: RouterApp, address: str) -> None:
    async with (
        streamed(address, WAITING) as events,
        streamed(address, WAITING, accept=MULTIPART) as parts,
    ):
        await events.event()
        await events.event()
        await parts.open_parts()
        await parts.part()
        app.drain()

        name, response = await events.event()
        part = await parts.part()

        assert await events.event() == ("complete", None)
        assert await parts.part() is None

    assert name == "next"
    assert response["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_SERVER_STOPPING"
    assert part["payload"] is None
    assert part["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_SERVER_STOPPING"


async def test_streams_end_when_a_server_stops_that_others_run(things: ThingsSubgraph) -> None:
    serving = served(make_app(things))
    address = await serving.__aenter__()
    async with streamed(address, WAITING) as stream:
        await stream.event()
        await stream.event()

        await asyncio.wait_for(serving.__aexit__(None, None, None), 5)

        _, response = await stream.event()
        assert await stream.event() == ("complete", None)
    assert response["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_SERVER_STOPPING"


async def test_a_stream_that_comes_while_the_router_stops_ends_at_once(
    app: RouterApp, address: str, things: ThingsSubgraph
) -> None:
    app.drain()

    async with streamed(address, WAITING) as stream:
        events = [await stream.event() for _ in range(3)]

    assert events[1][1]["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_SERVER_STOPPING"
    assert things.requests == []


async def test_streams_of_a_replaced_supergraph_are_ended(things: ThingsSubgraph) -> None:
    app = make_app(things, reload_drain_time=0.01)
    async with served(app) as address, streamed(address, WAITING) as stream:
        await stream.event()
        await stream.event()
        await app.reload(SUPERGRAPH + "\n# another one")

        _, response = await stream.event()

        assert await stream.event() == ("complete", None)
    assert response["errors"][0]["extensions"]["code"] == "SUBSCRIPTION_SCHEMA_RELOAD"


async def test_streams_count_among_the_connections_of_an_address(things: ThingsSubgraph) -> None:
    app = make_app(things, websocket_max_connections_per_address=1)
    async with served(app) as address, streamed(address, WAITING) as first:
        await first.event()
        async with streamed(address, WAITING) as second:
            body = await second.plain()

    assert second.status == 429
    assert body["errors"][0]["extensions"]["code"] == "TOO_MANY_CONNECTIONS"


async def test_the_connection_serves_another_request_when_a_stream_has_ended(address: str) -> None:
    async with streamed(address, TICKS) as stream:
        await stream.rest()
        stream._has_ended = False
        stream._writer.write(b"GET /health HTTP/1.1\r\nhost: router\r\n\r\n")
        await stream.begin()

    assert stream.status == 200


async def test_the_end_is_counted(app: RouterApp, address: str) -> None:
    async with streamed(address, TICKS) as stream:
        await stream.rest()

    labels = {"kind": "subscription", "operation": "", "outcome": "ok"}
    assert sample(app, "router_operations_total", **labels) == 1
    assert sample(app, "router_http_streams", protocol="sse") == 0
    assert sample(app, "router_http_streams_closed_total", protocol="sse", reason="complete") == 1


@pytest.mark.parametrize("revoked", [None, "sid"])
async def test_the_end_of_a_session_ends_its_streams(
    things: ThingsSubgraph, revoked: str | None
) -> None:
    app = make_app(things, jwt_issuers=[issuer_setting()], jwt_leeway=1.3)
    exp = int(time.time()) + (0 if revoked is None else 600)
    token = jwt.encode(claims_of(exp=exp, sid="sid"), SECRET, "HS256")
    headers = {"authorization": f"Bearer {token}"}
    async with served(app) as address, streamed(address, WAITING, headers=headers) as stream:
        await stream.event()
        await stream.event()

        if revoked is not None:
            assert app.sessions.revoke(revoked, revoked) == 1
        _, response = await stream.event()

        assert await stream.event() == ("complete", None)
        async with asyncio.timeout(5):
            await things.cancelled.wait()
    assert response["errors"][0]["extensions"] == {
        "code": "SUBSCRIPTION_JWT_EXPIRED" if revoked is None else "SUBSCRIPTION_SESSION_REVOKED"
    }
    assert app.sessions.revoke("sid", "sid") == 0


async def test_a_refused_token_is_no_stream(things: ThingsSubgraph) -> None:
    app = make_app(things, jwt_issuers=[issuer_setting()])
    headers = {"authorization": "Bearer nonsense"}
    async with served(app) as address, streamed(address, WAITING, headers=headers) as stream:
        body = await stream.plain()

    assert stream.status == 401
    assert body["errors"][0]["extensions"]["code"] == "INVALID_TOKEN"
    assert things.requests == []


@pytest.mark.parametrize("accept", [EVENT_STREAM, "application/json, text/event-stream"])
async def test_batches_have_no_streams(things: ThingsSubgraph, accept: str) -> None:
    body = b'[{"query": "subscription { waiting }"}, {"query": "{ greeting }"}]'
    request = (
        f"POST /graphql HTTP/1.1\r\nhost: router\r\naccept: {accept}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    async with (
        served(make_app(things, batching=True)) as address,
        streamed(address, "", raw=request.encode() + body) as stream,
    ):
        answer = await stream.plain()

    if accept == EVENT_STREAM:
        assert stream.status == 406
        refused = answer
    else:
        refused, answered = answer
        assert answered == {"data": {"greeting": "Hello, world!"}}
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


async def test_a_hundred_streams_end_upstream_when_their_clients_go(
    app: RouterApp, address: str, things: ThingsSubgraph
) -> None:
    async def one() -> None:
        async with streamed(address, WAITING) as stream:
            await stream.event()
            await stream.event()

    await asyncio.gather(*(one() for _ in range(100)))
    await asyncio.wait_for(_until_no_stream(app), 5)

    assert len(things.requests) == 100
    assert app._generations.current.subscriptions.members == ()


class RefusingSubgraph(ThingsSubgraph):
    """Takes no subscription, and has something to say."""

    @override
    async def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject, None]:
        errors: list[Json] = [{"message": "come back later"}]
        if self.reachable:
            raise SubscriptionError(SubscriptionFailure.REFUSED, "no place", errors)
        yield {}


async def test_what_ends_a_subscription_in_the_subgraph_ends_the_stream_with_its_errors() -> None:
    app = make_app(RefusingSubgraph())
    async with served(app) as address:
        async with streamed(address, WAITING) as stream:
            _, (name, response), last = [await stream.event() for _ in range(3)]
        async with streamed(address, WAITING, accept=MULTIPART) as stream:
            await stream.open_parts()
            parts = [await stream.part() for _ in range(2)]

    assert (name, last) == ("next", ("complete", None))
    assert [error["message"] for error in response["errors"]] == ["come back later"]
    assert parts == [{"payload": None, "errors": response["errors"]}, None]
    reason = {"protocol": "sse", "reason": "error"}
    assert sample(app, "router_http_streams_closed_total", **reason) == 1


async def test_a_slow_client_holds_up_nobody_who_shares_its_source(things: ThingsSubgraph) -> None:
    app = make_app(
        things,
        subscription_shared_fields=["big"],
        stream_queue_bytes=3_000_000,
        stream_close_timeout=0.1,
    )
    query = "subscription { big(size: 50000) }"
    overflow = {"protocol": "sse", "reason": "SUBSCRIPTION_OVERFLOW"}
    async with (
        served(app) as address,
        streamed(address, query) as slow,
        streamed(address, query) as fast,
    ):
        await slow.event()
        await fast.event()
        events = 0
        async with asyncio.timeout(20):
            while not sample(app, "router_http_streams_closed_total", **overflow):
                assert (await fast.event())[0] == "next"
                events += 1
        assert (await fast.event())[0] == "next"

    assert events > 10
    assert len(things.requests) == 1
