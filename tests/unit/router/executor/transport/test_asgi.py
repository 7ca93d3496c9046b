"""The in-process transport against applications that behave in all sorts of ways."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from router.executor import (
    SubgraphRequest,
    SubscriptionError,
    SubscriptionFailure,
    TransportError,
)
from router.executor.transport import AsgiTransport, TransportSettings

REQUEST = SubgraphRequest(body=b'{"query":"{n}"}', headers=(("X-A", "1"), ("Host", "evil")))


def app_of(handler: Any) -> Starlette:
    return Starlette(routes=[Route("/graphql", handler, methods=["POST"])])


async def test_an_application_gets_the_request_and_its_response_comes_back() -> None:
    async def handler(request: Request) -> JSONResponse:
        seen = {
            "body": (await request.body()).decode(),
            "x-a": request.headers["x-a"],
            "host": request.headers["host"],
            "type": request.headers["content-type"],
        }
        return JSONResponse(seen, status_code=418, headers={"X-B": "2"})

    response = await AsgiTransport(app_of(handler)).execute(REQUEST)

    assert response.status == 418
    assert response.body == (
        b'{"body":"{\\"query\\":\\"{n}\\"}","x-a":"1","host":"localhost","type":"application/json"}'
    )
    assert ("x-b", "2") in response.headers


async def test_a_response_may_come_in_pieces() -> None:
    async def pieces() -> Any:
        for piece in (b"{", b'"a":', b"1}"):
            yield piece
            await asyncio.sleep(0)

    async def handler(_: Request) -> StreamingResponse:
        return StreamingResponse(pieces())

    assert (await AsgiTransport(app_of(handler)).execute(REQUEST)).body == b'{"a":1}'


async def test_an_application_that_raises_is_answered_for_by_its_error_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler(_: Request) -> JSONResponse:
        raise RuntimeError("secret")

    with caplog.at_level(logging.CRITICAL):
        response = await AsgiTransport(app_of(handler)).execute(REQUEST)

    assert response.status == 500
    assert b"secret" not in response.body


async def test_an_application_that_does_not_answer_fails() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        """Answer nothing."""

    with pytest.raises(TransportError, match="did not answer"):
        await AsgiTransport(silent).execute(REQUEST)


async def test_answers_are_bounded() -> None:
    async def handler(_: Request) -> JSONResponse:
        return JSONResponse("x" * 200)

    transport = AsgiTransport(app_of(handler), settings=TransportSettings(max_response_size=100))
    with pytest.raises(TransportError):
        await transport.execute(REQUEST)


async def test_cancelling_cancels_the_application() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(AsgiTransport(stuck).execute(REQUEST))
    await started.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert ended.is_set()


async def test_an_application_without_websockets_refuses_subscriptions() -> None:
    async def handler(_: Request) -> JSONResponse:
        return JSONResponse({})

    transport = AsgiTransport(app_of(handler))
    with pytest.raises(SubscriptionError) as caught:
        await anext(transport.subscribe(REQUEST))
    assert caught.value.failure is SubscriptionFailure.REFUSED


async def test_an_application_that_ends_the_connection_loses_its_subscriptions() -> None:
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept("graphql-transport-ws")
        assert (await socket.receive_json())["type"] == "connection_init"
        await socket.send_json({"type": "connection_ack"})
        await socket.receive_json()
        await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"n": 1}}})
        await socket.close(1011)

    transport = AsgiTransport(Starlette(routes=[WebSocketRoute("/graphql", endpoint)]))
    stream = transport.subscribe(REQUEST)

    assert await anext(stream) == {"data": {"n": 1}}
    with pytest.raises(SubscriptionError) as caught:
        await anext(stream)
    assert caught.value.failure is SubscriptionFailure.LOST


async def test_an_application_that_ignores_the_end_is_cancelled() -> None:
    ended = asyncio.Event()

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept("graphql-transport-ws")
        await socket.receive_json()
        await socket.send_json({"type": "connection_ack"})
        await socket.receive_json()
        await socket.send_json({"id": "1", "type": "next", "payload": {"data": {"n": 1}}})
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    transport = AsgiTransport(
        Starlette(routes=[WebSocketRoute("/graphql", endpoint)]),
        settings=TransportSettings(websocket_close_timeout=0.05),
    )
    stream = transport.subscribe(REQUEST)
    await anext(stream)

    await stream.aclose()

    assert ended.is_set()
