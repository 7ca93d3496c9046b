"""The transport to a subgraph in the same process: a call of its ASGI application.

The application's lifespan is not run here; whoever assembles the process does that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from router.executor.transport.base import (
    RESPONSE_CONTENT_TYPES,
    AnswerTooLargeError,
    SubgraphRequest,
    SubgraphResponse,
    TransportError,
)
from router.executor.transport.encoding import content_encoding, decode_body
from router.executor.transport.graphql_ws import (
    SUBPROTOCOL,
    GraphQLWebSocketClient,
    WebSocketClosedError,
    WebSocketConnection,
)
from router.executor.transport.http_pool import OWN_HEADERS
from router.executor.transport.multipart import MultipartBody
from router.executor.transport.settings import TransportSettings

if TYPE_CHECKING:
    from router.executor.context import JsonObject

__all__ = ["AsgiApp", "AsgiTransport"]

_Message: TypeAlias = MutableMapping[
    str, Any
]  # an ASGI event: the specification's, not ours to type
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]

_logger = logging.getLogger(__name__)
_GOING_AWAY: Final = 1001


class AsgiTransport:
    """Calls an ASGI application that serves GraphQL at ``path`` over HTTP and WebSocket."""

    def __init__(
        self, app: AsgiApp, path: str = "/graphql", settings: TransportSettings | None = None
    ) -> None:
        self._app = app
        self._path = path
        self._settings = settings or TransportSettings()
        self._websocket = GraphQLWebSocketClient(self._connect, self._settings)

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Call the application. Raises TransportError if it fails to answer."""
        form = MultipartBody(request) if request.files else None
        exchange = _HttpExchange(request.body, form, self._settings.max_response_size)
        about_body: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
        if form is not None:
            about_body = form.headers
        headers = [
            (b"host", b"localhost"),
            (b"accept", RESPONSE_CONTENT_TYPES.encode()),
            *((name.encode("ascii"), value.encode("ascii")) for name, value in about_body),
            (b"content-length", b"%d" % (len(request.body) if form is None else form.length)),
            *(
                (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
                for name, value in request.headers
                if name.lower() not in OWN_HEADERS
            ),
        ]
        scope = self._scope("http", headers) | {"method": "POST", "scheme": "http"}
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except TransportError:
            raise
        except Exception:  # the application is a foreign body: its failure is an answer that fails
            # a framework may raise what it has answered with status 500 before
            _logger.exception("an in-process subgraph raised an exception")
        finally:
            await exchange.aclose()
        return exchange.response()

    def _scope(self, kind: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "path": self._path,
            "raw_path": self._path.encode("ascii"),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 0),
            "server": ("localhost", 80),
            "state": {},
        }

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject | None, None]:
        """Yield the payloads of a subscription. Raises SubscriptionError."""
        return self._websocket.subscribe(request)

    async def _connect(self) -> WebSocketConnection:
        headers = [(b"host", b"localhost"), (b"sec-websocket-protocol", SUBPROTOCOL.encode())]
        scope = self._scope("websocket", headers) | {
            "scheme": "ws",
            "subprotocols": [SUBPROTOCOL],
        }
        connection = _AsgiConnection(self._app, scope)
        await connection.open()
        return connection

    async def aclose(self) -> None:
        """End all subscriptions."""
        await self._websocket.aclose()


class _HttpExchange:
    """One request and the response to it, as the application sees them."""

    def __init__(self, body: bytes, form: MultipartBody | None, max_response_size: int) -> None:
        self._body: bytes | None = body if form is None else None
        self._pieces = None if form is None else form.chunks()
        self._max_response_size = max_response_size
        self._done = asyncio.Event()
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._chunks: list[bytes] = []
        self._size = 0

    async def receive(self) -> _Message:
        """Give the request, then tell of the disconnect once the response is complete."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if self._pieces is not None:
            piece = await anext(self._pieces, None)
            if piece is not None:
                return {"type": "http.request", "body": piece, "more_body": True}
            self._pieces = None
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: _Message) -> None:
        """Take a part of the response."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            )
        elif message["type"] == "http.response.body":
            chunk = bytes(message.get("body", b""))
            self._size += len(chunk)
            if self._size > self._max_response_size:
                raise AnswerTooLargeError
            self._chunks.append(chunk)
            if not message.get("more_body", False):
                self._done.set()

    async def aclose(self) -> None:
        """Let go of what the application has not read."""
        if self._pieces is not None:
            await self._pieces.aclose()

    def response(self) -> SubgraphResponse:
        """Return the response. Raises TransportError if it is not complete."""
        if not self._done.is_set():
            raise TransportError("The subgraph did not answer.")
        body = b"".join(self._chunks)
        body = decode_body(body, content_encoding(self._headers), self._max_response_size)
        return SubgraphResponse(self._status, body, self._headers)


class _AsgiConnection:
    """A WebSocket connection to an application that runs in a task of its own."""

    def __init__(self, app: AsgiApp, scope: dict[str, Any]) -> None:
        self._app = app
        self._scope = scope
        self._to_app: asyncio.Queue[_Message] = asyncio.Queue()
        # the bound holds an application back that sends faster than its messages are read
        self._from_app: asyncio.Queue[_Message] = asyncio.Queue(16)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._run(), name="asgi-websocket")
        try:
            answer = await self._from_app.get()
        except asyncio.CancelledError:
            await self._end()
            raise
        if answer["type"] != "websocket.accept" or answer.get("subprotocol") != SUBPROTOCOL:
            await self._end()
            raise WebSocketClosedError

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._to_app.get, self._from_app.put)
        except Exception:  # as in execute: the connection ends, the reason is logged
            _logger.exception("an in-process subgraph raised an exception")
        await self._from_app.put({"type": "websocket.close", "code": _GOING_AWAY})

    async def send(self, text: str) -> None:
        if self._task is None or self._task.done():
            raise WebSocketClosedError
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> str | bytes:
        while True:
            message = await self._from_app.get()
            if message["type"] == "websocket.close":
                raise WebSocketClosedError(message.get("code"))
            if message["type"] == "websocket.send":
                text: str | bytes | None = message.get("text")
                return text if text is not None else message.get("bytes") or b""

    async def close(self, code: int, reason: str) -> None:
        """Tell the application, and give it the chance to clean up before its task is cancelled."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        task = self._task
        while task is not None and not task.done():
            getter = asyncio.ensure_future(
                self._from_app.get()
            )  # make room for what it still sends
            try:
                await asyncio.wait({task, getter}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await self._end()
                raise
            finally:
                getter.cancel()

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
