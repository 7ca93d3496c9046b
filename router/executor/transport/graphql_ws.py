"""The client side of graphql-transport-ws: many operations on one WebSocket connection.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. Connections are shared by all
subscriptions whose ``connection_init`` payload is the same, so by those of one client at most
when that carries a token. What a connection is, is left to a connector: ``websocket`` has the
network's, ``asgi`` the one inside the process.

When a connection is lost its subscriptions end with an error each; resubscribing is the business
of the layer above.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from router.executor.transport.base import (
    SubgraphRequest,
    SubscriptionError,
    SubscriptionFailure,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from router.executor.context import Json, JsonObject
    from router.executor.transport.settings import TransportSettings

__all__ = [
    "SUBPROTOCOL",
    "GraphQLWebSocketClient",
    "WebSocketClosedError",
    "WebSocketConnection",
]

SUBPROTOCOL: Final = "graphql-transport-ws"
_NORMAL_CLOSURE: Final = 1000
_BAD_MESSAGE: Final = 4400
_REFUSED: Final = "The subgraph did not accept the connection for the subscription."
_LOST: Final = "The connection to the subgraph was lost."


class WebSocketClosedError(Exception):
    """The connection is closed or could not be opened."""


class WebSocketConnection(Protocol):
    """An open WebSocket connection that speaks graphql-transport-ws."""

    async def send(self, text: str) -> None:
        """Send a message. Raises WebSocketClosedError."""
        ...

    async def receive(self) -> str | bytes:
        """Return the next message. Raises WebSocketClosedError."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; does nothing when it is closed."""
        ...


class _Operation:
    """What has come for one subscription and has not been taken yet."""

    __slots__ = ("_limit", "_wake", "end", "payloads")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._wake = asyncio.Event()
        self.payloads: deque[Json] = deque()
        self.end: SubscriptionError | bool = False  # True: completed

    def add(self, payload: Json) -> bool:
        """Add a payload; False when there is no room and the operation has been ended."""
        if len(self.payloads) >= self._limit:
            self.finish(
                SubscriptionError(
                    SubscriptionFailure.OVERFLOW, "Events came faster than they were taken."
                )
            )
            return False
        self.payloads.append(payload)
        self._wake.set()
        return True

    def finish(self, end: SubscriptionError | bool) -> None:
        """End the operation; what has come before is still delivered."""
        if self.end is False:
            self.end = end
            self._wake.set()

    async def next(self) -> Json:
        """Return the next payload.

        Raises StopAsyncIteration or SubscriptionError after the last.
        """
        while not self.payloads:
            if self.end is True:
                raise StopAsyncIteration
            if self.end is not False:
                raise self.end
            self._wake.clear()
            await self._wake.wait()
        return self.payloads.popleft()


class _Multiplexer:
    """One connection and its operations; a task of its own opens, reads and closes it."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[WebSocketConnection]],
        payload: bytes,
        settings: TransportSettings,
    ) -> None:
        self._connect = connect
        self._payload = payload
        self._settings = settings
        self._connection: WebSocketConnection | None = None
        self._operations: dict[str, _Operation] = {}
        self._next_id = 1
        self.users = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run(), name="graphql-ws-upstream")

    @property
    def is_over(self) -> bool:
        """Whether no operation can be started any more."""
        return self.task.done() or (self.ready.done() and self._connection is None)

    async def _run(self) -> None:
        connection: WebSocketConnection | None = None
        failure = SubscriptionError(SubscriptionFailure.REFUSED, _REFUSED)
        code, reason = _NORMAL_CLOSURE, ""
        try:
            async with asyncio.timeout(self._settings.websocket_open_timeout):
                connection = await self._connect()
                await self._initialise(connection)
            self._connection = connection
            self.ready.set_result(None)
            failure = SubscriptionError(SubscriptionFailure.LOST, _LOST)
            await self._read(connection)
        except (WebSocketClosedError, TimeoutError):
            pass  # the subscriptions are told
        except _ProtocolError:
            code, reason = _BAD_MESSAGE, "Invalid message"
        finally:
            self._connection = None
            self._end_all(failure)
            if connection is not None:
                await self._close(connection, code, reason)

    async def _initialise(self, connection: WebSocketConnection) -> None:
        await connection.send(f'{{"type":"connection_init","payload":{self._payload.decode()}}}')
        while True:
            message = _parse(await connection.receive())
            match message.get("type"):
                case "connection_ack":
                    return
                case "ping":
                    await connection.send('{"type":"pong"}')
                case "pong":
                    pass
                case _:
                    raise _ProtocolError

    async def _read(self, connection: WebSocketConnection) -> None:
        while True:
            message = _parse(await connection.receive())
            if message.get("type") == "ping":
                await connection.send('{"type":"pong"}')
                continue
            id_ = message.get("id")
            operation = self._operations.get(id_) if isinstance(id_, str) else None
            if operation is not None and isinstance(id_, str):
                await self._dispatch(connection, id_, operation, message)

    async def _dispatch(
        self, connection: WebSocketConnection, id_: str, operation: _Operation, message: JsonObject
    ) -> None:
        match message.get("type"):
            case "next":
                if not operation.add(message.get("payload")):
                    del self._operations[id_]
                    await connection.send(f'{{"id":"{id_}","type":"complete"}}')
            case "complete":
                del self._operations[id_]
                operation.finish(True)
            case "error":
                del self._operations[id_]
                errors = message.get("payload")
                operation.finish(
                    SubscriptionError(
                        SubscriptionFailure.REJECTED,
                        "The subgraph rejected the subscription.",
                        errors if isinstance(errors, list) else None,
                    )
                )
            case _:
                raise _ProtocolError

    def _end_all(self, failure: SubscriptionError) -> None:
        if not self.ready.done():
            self.ready.set_exception(failure)
            self.ready.exception()  # retrieved: everyone who waited may have gone
        for operation in self._operations.values():
            operation.finish(failure)
        self._operations.clear()

    async def _close(self, connection: WebSocketConnection, code: int, reason: str) -> None:
        with suppress(TimeoutError, WebSocketClosedError):
            async with asyncio.timeout(self._settings.websocket_close_timeout):
                await connection.close(code, reason)

    async def start(self, body: bytes) -> tuple[str, _Operation]:
        """Start an operation, once the connection is ready. Raises SubscriptionError."""
        await asyncio.shield(self.ready)
        if self._connection is None:
            raise SubscriptionError(SubscriptionFailure.LOST, _LOST)
        id_ = str(self._next_id)
        self._next_id += 1
        operation = _Operation(self._settings.max_waiting_events)
        self._operations[id_] = operation
        message = f'{{"id":"{id_}","type":"subscribe","payload":{body.decode()}}}'
        try:
            await self._connection.send(message)
        except WebSocketClosedError:
            raise SubscriptionError(SubscriptionFailure.LOST, _LOST) from None
        return id_, operation

    async def stop(self, id_: str) -> None:
        """End an operation if it has not ended."""
        if self._operations.pop(id_, None) is not None and self._connection is not None:
            with suppress(TimeoutError, WebSocketClosedError):
                async with asyncio.timeout(self._settings.websocket_close_timeout):
                    await self._connection.send(f'{{"id":"{id_}","type":"complete"}}')

    async def shut_down(self) -> None:
        """Close the connection."""
        self.task.cancel()
        await asyncio.wait([self.task])


class GraphQLWebSocketClient:
    """Subscribes at one server, over as few connections as possible."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[WebSocketConnection]],
        settings: TransportSettings,
    ) -> None:
        self._connect = connect
        self._settings = settings
        self._open: dict[bytes, _Multiplexer] = {}

    async def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject, None]:
        """Yield the payloads of a subscription; see ``SubgraphTransport``."""
        payload = orjson.dumps(dict(request.connection_init), option=orjson.OPT_SORT_KEYS)
        multiplexer = self._open.get(payload)
        if multiplexer is None or multiplexer.is_over:
            multiplexer = _Multiplexer(self._connect, payload, self._settings)
            self._open[payload] = multiplexer
        multiplexer.users += 1
        id_: str | None = None
        try:
            id_, operation = await multiplexer.start(request.body)
            while True:
                try:
                    event = await operation.next()
                except StopAsyncIteration:
                    return
                yield event
        finally:
            multiplexer.users -= 1
            is_last = multiplexer.users == 0
            if is_last and self._open.get(payload) is multiplexer:
                del self._open[payload]
            if id_ is not None:
                await multiplexer.stop(id_)
            if is_last:
                await multiplexer.shut_down()

    async def aclose(self) -> None:
        """Close all connections; their subscriptions end with an error."""
        multiplexers = list(self._open.values())
        self._open.clear()
        for multiplexer in multiplexers:
            await multiplexer.shut_down()


class _ProtocolError(Exception):
    """The server does not keep to the protocol."""


def _parse(text: str | bytes) -> JsonObject:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _ProtocolError from None
    if not isinstance(message, dict):
        raise _ProtocolError
    return message
