"""One upstream connection of graphql-transport-ws and the operations on it.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. A task of its own opens, reads and
closes the connection; what has come for an operation waits in an :class:`Inbox`, bounded in events
and bytes, until it is taken. Reading never waits for a consumer nor for the subgraph to take what
we send, so a slow operation holds up none of the others: it overflows alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from router.executor.transport.base import SubscriptionError, SubscriptionFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from router.executor.context import Json, JsonObject
    from router.executor.transport.settings import TransportSettings

__all__ = ["Inbox", "Multiplexer", "WebSocketClosedError", "WebSocketConnection"]

_NORMAL_CLOSURE: Final = 1000
_BAD_MESSAGE: Final = 4400
_INIT_TIMEOUT: Final = 4408  # the one of its codes that another try may spare
_PROTOCOL_CODES: Final = range(4400, 4500)
_PONG: Final = '{"type":"pong"}'
_REFUSED: Final = "The subgraph did not accept the connection for the subscription."
_LOST: Final = "The connection to the subgraph was lost."
_ENDED: Final = "The subgraph ended the connection for the subscription."
_BROKEN: Final = "The subgraph broke the protocol of the connection for the subscription."
_OVERFLOW: Final = "Events came faster than they were taken."
_REJECTED: Final = "The subgraph rejected the subscription."


class WebSocketClosedError(Exception):
    """The connection is closed or could not be opened; ``code`` is the close code that came."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


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


class Inbox:
    """What has come for one operation and has not been taken yet."""

    __slots__ = ("_bytes", "_max_bytes", "_max_events", "_payloads", "_waiter", "end")

    def __init__(self, settings: TransportSettings) -> None:
        self._max_events = settings.max_waiting_events
        self._max_bytes = settings.max_waiting_bytes
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None  # not an Event: a third of the memory
        self._payloads: deque[tuple[Json, int]] = deque()
        self.end: SubscriptionError | bool = False  # True: completed

    def add(self, payload: Json, size: int) -> bool:
        """Add a payload whose message had ``size`` bytes; False when there is no room and the
        operation has been ended. One alone is always taken.
        """
        waiting = len(self._payloads)
        if waiting and (waiting >= self._max_events or self._bytes + size > self._max_bytes):
            self.finish(SubscriptionError(SubscriptionFailure.OVERFLOW, _OVERFLOW, retryable=True))
            return False
        self._payloads.append((payload, size))
        self._bytes += size
        self._wake()
        return True

    def finish(self, end: SubscriptionError | bool) -> None:
        """End the operation; what has come before is still delivered."""
        if self.end is False:
            self.end = end
            self._wake()

    async def next(self) -> Json:
        """Return the next payload.

        Raises StopAsyncIteration or SubscriptionError after the last.
        """
        while not self._payloads:
            if self.end is True:
                raise StopAsyncIteration
            if self.end is not False:
                raise self.end
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        payload, size = self._payloads.popleft()
        self._bytes -= size
        return payload

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Multiplexer:
    """One connection and its operations."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[WebSocketConnection]],
        payload: bytes,
        settings: TransportSettings,
    ) -> None:
        self._connect = connect
        self._payload = payload
        self._settings = settings
        self._inboxes: dict[str, Inbox] = {}
        self._next_id = 1
        self._is_open = False
        self._outbox: deque[str] = deque()
        self._wake_writer = asyncio.Event()
        self.users = 0
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name="graphql-ws-upstream")

    @property
    def is_over(self) -> bool:
        """Whether no operation can be started any more."""
        return self._task.done() or (self._ready.done() and not self._is_open)

    async def start(self, body: bytes) -> tuple[str, Inbox]:
        """Start an operation, once the connection is ready. Raises SubscriptionError."""
        await asyncio.shield(self._ready)
        if not self._is_open:
            raise _lost()
        id_ = str(self._next_id)
        self._next_id += 1
        inbox = self._inboxes[id_] = Inbox(self._settings)
        self._post(f'{{"id":"{id_}","type":"subscribe","payload":{body.decode()}}}')
        return id_, inbox

    def stop(self, id_: str) -> None:
        """End an operation if it has not ended."""
        if self._inboxes.pop(id_, None) is not None:
            self._post(f'{{"id":"{id_}","type":"complete"}}')

    async def shut_down(self) -> None:
        """Close the connection."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        connection: WebSocketConnection | None = None
        failure = _refused
        code, reason = _NORMAL_CLOSURE, ""
        try:
            async with asyncio.timeout(self._settings.websocket_open_timeout):
                connection = await self._connect()
                await self._initialise(connection)
            self._is_open = True
            self._ready.set_result(None)
            failure = _lost
            await self._exchange(connection)
        except WebSocketClosedError as closed:
            if closed.code in _PROTOCOL_CODES and closed.code != _INIT_TIMEOUT:
                failure = _ended  # on purpose: a token it does not accept, say
        except TimeoutError:
            pass  # the subscriptions are told
        except _ProtocolError:
            failure = _broken
            code, reason = _BAD_MESSAGE, "Invalid message"
        finally:
            self._is_open = False
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
                    await connection.send(_PONG)
                case "pong":
                    pass
                case _:
                    raise _ProtocolError

    async def _exchange(self, connection: WebSocketConnection) -> None:
        writer = asyncio.create_task(self._write(connection), name="graphql-ws-upstream-writer")
        try:
            await self._read(connection)
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _read(self, connection: WebSocketConnection) -> None:
        while True:
            text = await connection.receive()
            message = _parse(text)
            id_ = message.get("id")
            if id_ is None:
                if message.get("type") == "ping" and _PONG not in self._outbox:
                    self._post(_PONG)  # one at a time: a flood of pings must not pile up pongs
                continue
            inbox = self._inboxes.get(id_) if isinstance(id_, str) else None
            if inbox is not None:  # else the operation has just been ended from here
                self._dispatch(id_, inbox, message, len(text))

    def _dispatch(self, id_: str, inbox: Inbox, message: JsonObject, size: int) -> None:
        match message.get("type"):
            case "next":
                if not inbox.add(message.get("payload"), size):
                    self.stop(id_)
            case "complete":
                del self._inboxes[id_]
                inbox.finish(True)
            case "error":
                del self._inboxes[id_]
                errors = message.get("payload")
                told = errors if isinstance(errors, list) else None
                inbox.finish(SubscriptionError(SubscriptionFailure.REJECTED, _REJECTED, told))
            case _:
                raise _ProtocolError

    def _post(self, text: str) -> None:
        """Have a message written after those before it; without a connection it is moot."""
        self._outbox.append(text)
        self._wake_writer.set()

    async def _write(self, connection: WebSocketConnection) -> None:
        with suppress(WebSocketClosedError):  # the reading side learns of it too
            while True:
                await self._flush(connection)
                self._wake_writer.clear()
                await self._wake_writer.wait()

    async def _flush(self, connection: WebSocketConnection) -> None:
        while self._outbox:
            await connection.send(self._outbox.popleft())

    def _end_all(self, failure: Callable[[], SubscriptionError]) -> None:
        if not self._ready.done():
            self._ready.set_exception(failure())
            self._ready.exception()  # retrieved: everyone who waited may have gone
        for inbox in self._inboxes.values():
            inbox.finish(failure())
        self._inboxes.clear()

    async def _close(self, connection: WebSocketConnection, code: int, reason: str) -> None:
        with suppress(TimeoutError, WebSocketClosedError):
            async with asyncio.timeout(self._settings.websocket_close_timeout):
                await self._flush(connection)
                await connection.close(code, reason)


def _refused() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.REFUSED, _REFUSED, retryable=True)


def _lost() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.LOST, _LOST, retryable=True)


def _ended() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.REFUSED, _ENDED)


def _broken() -> SubscriptionError:
    return SubscriptionError(SubscriptionFailure.LOST, _BROKEN)


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
