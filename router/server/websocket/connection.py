"""One client's WebSocket connection: the protocol's state machine.

States: waiting for ``connection_init``, then acknowledged, then closing. The connection's own task
reads messages and waits for nothing else (but once, perhaps, for the keys to check a token with);
every operation has a task, and one task writes. When the connection ends, all of them end before
:meth:`Connection.run` returns.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

import structlog

from router.server.errors import RequestError, RequestErrorCode
from router.server.subscriptions.session import session_of
from router.server.websocket.init_payload import InvalidInitError, read_init_headers, wants_debug
from router.server.websocket.messages import (
    CloseCode,
    Complete,
    ConnectionInit,
    InvalidMessageError,
    Ping,
    Pong,
    Subscribe,
    connection_ack,
    error_message,
    parse_message,
    pong_message,
)
from router.server.websocket.operation import WebSocketOperation
from router.server.websocket.outgoing import OutgoingQueue

if TYPE_CHECKING:
    from starlette.types import Receive, Send

    from router.server.access.authenticator import Authenticator
    from router.server.access.identity import Identity
    from router.server.generation import Generations
    from router.server.headers import ForwardedHeaders, HeaderReader, RequestHeaders
    from router.server.limits.rates.limiter import Caller
    from router.server.limits.requests import RequestLimits
    from router.server.pipeline.identify import DocumentFinder
    from router.server.settings import RouterSettings
    from router.server.subscriptions.ending import EndReason
    from router.server.subscriptions.session import Session, SessionHold, Sessions
    from router.server.telemetry import Metrics

__all__ = ["Connection"]

_log = structlog.get_logger(__name__)


class Connection:
    """An accepted connection. :meth:`run` returns the code it was closed with."""

    __slots__ = (
        "_abandon_timer",
        "_abandoned",
        "_authenticator",
        "_caller",
        "_credentials",
        "_debug",
        "_documents",
        "_generations",
        "_headers",
        "_held",
        "_hold",
        "_identity",
        "_initialised",
        "_leave_timer",
        "_limits",
        "_main",
        "_metrics",
        "_operations",
        "_outgoing",
        "_reader",
        "_receive",
        "_running",
        "_sessions",
        "_settings",
        "_with_mutations",
    )

    def __init__(
        self,
        *,
        receive: Receive,
        send: Send,
        generations: Generations,
        documents: DocumentFinder,
        settings: RouterSettings,
        metrics: Metrics,
        sessions: Sessions,
        reader: HeaderReader,
        handshake: RequestHeaders,
        limits: RequestLimits,
        caller: Caller,
        authenticator: Authenticator | None = None,
    ) -> None:
        self._limits = limits
        self._caller = caller
        self._held = ExitStack()
        self._receive = receive
        self._generations = generations
        self._documents = documents
        self._settings = settings
        self._metrics = metrics
        self._sessions = sessions
        self._hold: SessionHold | None = None
        self._reader = reader
        self._headers: ForwardedHeaders = handshake.forward
        self._with_mutations: ForwardedHeaders = handshake.with_mutations
        self._authenticator = authenticator
        self._credentials = handshake.credentials
        self._identity: Identity | None = None
        self._debug = settings.shows_extensions and handshake.wants_debug
        self._outgoing = OutgoingQueue(
            send, limit=settings.websocket_queue_bytes, on_overflow=self._close_slow
        )
        self._operations: dict[str, WebSocketOperation] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._initialised = False
        self._main: asyncio.Task[Any] | None = None
        self._abandon_timer: asyncio.TimerHandle | None = None
        self._abandoned = False
        self._leave_timer: asyncio.TimerHandle | None = None

    async def run(self) -> int:
        """Serve the connection until either side ends it; returns the close code."""
        loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        init_timer = loop.call_later(
            self._settings.websocket_init_timeout, self._close_unless_initialised
        )
        writer = loop.create_task(self._write())
        try:
            code = await self._read_messages()
        except asyncio.CancelledError:
            # Our own cancel() from _abandon, or somebody else's: only the first ends here.
            if not self._abandoned or self._main is None or self._main.uncancel() > 0:
                raise
            code = 1006
        finally:
            init_timer.cancel()
            for timer in (self._abandon_timer, self._leave_timer):
                if timer is not None:
                    timer.cancel()
            self._held.close()
            await self._stop(writer)
        closing = self._outgoing.closing
        return code if closing is None else closing[0]

    def close(self, code: CloseCode, reason: str, *, flush: bool = True) -> None:
        """Close the connection: no operation goes on; with ``flush`` what is queued is still sent
        before.
        """
        self._outgoing.close(code, reason, flush=flush)
        self._cancel_operations()
        self._expect_end()

    def send(self, operation: WebSocketOperation, text: str) -> None:
        """Queue a message of a running operation (see :class:`OperationSink`)."""
        if self._operations.get(operation.id) is operation:
            self._outgoing.put(text)

    def finish(self, operation: WebSocketOperation, text: str) -> None:
        """Queue an operation's last message and give its id free (see :class:`OperationSink`)."""
        if self._operations.get(operation.id) is operation:
            del self._operations[operation.id]
            self._outgoing.put(text)
            if self._leave_timer is not None:
                self._close_when_idle()

    def leave(self) -> None:
        """Close the connection, since subscriptions on it belong to a supergraph that was replaced
        (see :class:`OperationSink`). Queries and mutations that run on it are finished before.
        """
        if self._leave_timer is None:
            loop = asyncio.get_running_loop()
            # A client that always has another query running is not waited for without end.
            self._leave_timer = loop.call_later(
                self._settings.request_timeout, self._close_reloaded
            )
            self._close_when_idle()

    async def _read_messages(self) -> int:
        limit = self._settings.max_body_bytes
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                code: int = event.get("code") or 1005
                return code
            if self._outgoing.closing is not None:
                continue  # what a client sends after our close frame does not count
            text = event.get("text")
            if text is None:
                self.close(CloseCode.INVALID_MESSAGE, "Messages must be text")
            elif len(text) > limit:
                self.close(CloseCode.TOO_BIG, f"The message is larger than {limit} bytes")
            else:
                await self._take(text)

    async def _take(self, text: str) -> None:
        try:
            message = parse_message(text)
        except InvalidMessageError as error:
            self.close(CloseCode.INVALID_MESSAGE, str(error))
            return
        if isinstance(message, ConnectionInit):
            await self._initialise(message)
        else:
            self._handle(message)

    def _handle(self, message: Subscribe | Complete | Ping | Pong) -> None:
        match message:
            case Subscribe():
                self._subscribe(message)
            case Complete():
                self._complete(message)
            case Ping():
                self._outgoing.put(pong_message(message.payload))
            case Pong():
                pass
            case _:
                assert_never(message)

    async def _initialise(self, message: ConnectionInit) -> None:
        if self._initialised:
            self.close(CloseCode.TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
            return
        try:
            self._headers = read_init_headers(message.payload, self._reader, self._headers)
        except InvalidInitError as error:
            self.close(CloseCode.INVALID_MESSAGE, str(error))
            return
        if not await self._authenticate(message):
            return
        places = self._limits.connections_per_user
        if not self._held.enter_context(places.hold(self._caller.user_key)):
            self._metrics.refuse(RequestErrorCode.TOO_MANY_CONNECTIONS)
            self.close(CloseCode.TOO_MANY_CONNECTIONS, "Too many connections")
            return
        self._debug |= self._settings.shows_extensions and wants_debug(message.payload)
        self._initialised = True
        self._outgoing.put(connection_ack())

    async def _authenticate(self, message: ConnectionInit) -> bool:
        """Find out who connects; tell whether the connection may go on."""
        if self._authenticator is None:
            return True
        try:
            self._identity = await self._authenticator.identify_by_init(
                message.payload, self._credentials
            )
        except RequestError as error:
            self._metrics.refuse(error.code)
            self.close(CloseCode.FORBIDDEN, error.code)
            return False
        if self._identity is not None:
            self._caller = replace(self._caller, user=self._identity.user)
            self._hold_session(session_of(self._identity, leeway=self._settings.jwt_leeway))
        return True

    def _hold_session(self, session: Session) -> None:
        """End the connection with 4403 when the session ends: what clients of graphql-ws fetch a
        new token for and connect again.
        """
        self._hold = self._sessions.hold(session, self._end_session)

    def _subscribe(self, message: Subscribe) -> None:
        if not self._initialised:
            self.close(CloseCode.UNAUTHORIZED, "Unauthorized")
        elif message.id in self._operations:
            self.close(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        elif len(self._operations) >= self._settings.websocket_max_operations:
            refusal = RequestError(
                RequestErrorCode.TOO_MANY_OPERATIONS,
                f"More than {self._settings.websocket_max_operations} operations on one connection",
            )
            self._metrics.refuse(refusal.code)
            self._outgoing.put(error_message(message.id, refusal.errors))
        else:
            self._start(message)

    def carry(self, headers: dict[str, str]) -> None:
        """Bring these with the queries and mutations to come (see :class:`OperationSink`)."""
        kept = [header for header in self._headers if header[0] not in headers]
        self._headers = (*kept, *headers.items())

    def _start(self, message: Subscribe) -> None:
        operation = WebSocketOperation(
            message.id,
            generations=self._generations,
            documents=self._documents,
            settings=self._settings,
            metrics=self._metrics,
            headers=self._headers,
            with_mutations=self._with_mutations,
            identity=self._identity,
            debug=self._debug,
            rates=self._limits.rates,
            caller=self._caller,
            sink=self,
        )
        self._operations[message.id] = operation
        task = operation.start(message.request)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _complete(self, message: Complete) -> None:
        operation = self._operations.pop(message.id, None)
        if operation is not None:  # else it ended while this message was under way
            operation.cancel()

    async def _write(self) -> None:
        try:
            await self._outgoing.write()
        except (OSError, RuntimeError) as error:
            # The client is gone; servers say so with OSError, uvicorn after a failed keep-alive
            # with RuntimeError.
            _log.debug("websocket lost", reason=str(error))
        self._expect_end()

    def _close_when_idle(self) -> None:
        if all(operation.is_subscription for operation in self._operations.values()):
            self._close_reloaded()

    def _close_reloaded(self) -> None:
        self.close(CloseCode.RELOADED, "The supergraph was reloaded")

    def _close_slow(self) -> None:
        self.close(CloseCode.SLOW_CLIENT, "Too much waits to be sent", flush=False)

    def _close_unless_initialised(self) -> None:
        if not self._initialised:
            self.close(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")

    def _end_session(self, reason: EndReason) -> None:
        for operation in tuple(self._operations.values()):
            operation.end_early(reason)
        self.close(CloseCode.FORBIDDEN, reason.message)

    def _expect_end(self) -> None:
        """Give the client a while to take the rest and to disconnect."""
        if self._abandon_timer is None:
            loop = asyncio.get_running_loop()
            timeout = self._settings.websocket_close_timeout
            self._abandon_timer = loop.call_later(timeout, self._abandon)

    def _abandon(self) -> None:
        self._abandoned = True
        if self._main is not None:
            self._main.cancel()

    def _cancel_operations(self) -> None:
        operations = tuple(self._operations.values())
        self._operations.clear()
        for operation in operations:
            operation.cancel()

    async def _stop(self, writer: asyncio.Task[None]) -> None:
        self._cancel_operations()
        if self._hold is not None:
            self._hold.release()
        writer.cancel()
        # The tasks of operations too: all are cancelled but mutations, which are finished.
        await asyncio.gather(writer, *self._running, return_exceptions=True)
