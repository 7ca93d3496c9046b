"""The GraphQL path over WebSocket: accepts connections, knows all of them, and closes them at
shutdown.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from router.server.errors import RequestErrorCode
from router.server.limits.addresses import rate_key
from router.server.limits.rates.limiter import Caller
from router.server.websocket.connection import Connection
from router.server.websocket.messages import SUBPROTOCOL, CloseCode

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from router.server.access.authenticator import Authenticator
    from router.server.access_log import AccessLog
    from router.server.generation import Generations
    from router.server.headers import HeaderReader, RequestHeaders
    from router.server.limits.requests import RequestLimits
    from router.server.pipeline.identify import DocumentFinder
    from router.server.settings import RouterSettings
    from router.server.subscriptions.session import Sessions
    from router.server.telemetry import Metrics

__all__ = ["WebSocketEndpoint"]

_OUR_CODES = frozenset(int(code) for code in CloseCode)


class WebSocketEndpoint:
    """The GraphQL path over WebSocket."""

    def __init__(
        self,
        generations: Generations,
        settings: RouterSettings,
        metrics: Metrics,
        documents: DocumentFinder,
        sessions: Sessions,
        reader: HeaderReader,
        access_log: AccessLog | None,
        *,
        limits: RequestLimits,
        authenticator: Authenticator | None = None,
    ) -> None:
        self._limits = limits
        self._generations = generations
        self._documents = documents
        self._settings = settings
        self._metrics = metrics
        self._sessions = sessions
        self._reader = reader
        self._access_log = access_log
        self._authenticator = authenticator
        self._connections: set[Connection] = set()
        self._draining = False

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, headers: RequestHeaders
    ) -> None:
        """Serve one connection until it ends."""
        started = perf_counter()
        await receive()  # websocket.connect
        if self._draining:
            await _deny(scope, send, 503)
            return
        if not self._origin_allowed(scope):
            await _deny(scope, send, 403)
            return
        address = rate_key(scope)
        with self._limits.connections_per_address.hold(address) as is_allowed:
            if is_allowed:
                caller = Caller(address)
                await self._accept(scope, receive, send, headers, caller, started)
            else:
                self._metrics.refuse(RequestErrorCode.TOO_MANY_CONNECTIONS)
                await _deny(scope, send, 429)

    async def _accept(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: RequestHeaders,
        caller: Caller,
        started: float,
    ) -> None:
        request_id = headers.request_id
        extra = [(b"x-request-id", request_id.encode("latin-1"))]
        if SUBPROTOCOL not in scope["subprotocols"]:
            # A browser only learns the reason from a close code, so the connection is accepted
            # first.
            await send({"type": "websocket.accept", "headers": extra})
            code = int(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE)
            await send(
                {"type": "websocket.close", "code": code, "reason": "Subprotocol not acceptable"}
            )
        else:
            await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL, "headers": extra})
            code = await self._serve(receive, send, headers, caller)
        # Codes that clients make up are one label value, or they could make any number.
        label = str(code) if code in _OUR_CODES else "client"
        self._metrics.connections.websockets_closed.labels(label).inc()
        if self._access_log is not None:
            seconds = perf_counter() - started
            self._access_log.websocket(scope, request_id=request_id, code=code, seconds=seconds)

    def drain(self) -> None:
        """Refuse new connections and close all open ones with 1001 (going away)."""
        self._draining = True
        for connection in tuple(self._connections):
            connection.close(CloseCode.GOING_AWAY, "Going away")

    async def _serve(
        self, receive: Receive, send: Send, headers: RequestHeaders, caller: Caller
    ) -> int:
        connection = Connection(
            receive=receive,
            send=send,
            generations=self._generations,
            documents=self._documents,
            settings=self._settings,
            metrics=self._metrics,
            sessions=self._sessions,
            reader=self._reader,
            handshake=headers,
            limits=self._limits,
            caller=caller,
            authenticator=self._authenticator,
        )
        self._connections.add(connection)
        self._metrics.connections.websockets.inc()
        try:
            return await connection.run()
        finally:
            self._metrics.connections.websockets.dec()
            self._connections.discard(connection)

    def _origin_allowed(self, scope: Scope) -> bool:
        """Browsers let any page open WebSockets anywhere, without CORS; but they say which page it
        is.
        """
        if not self._settings.websocket_check_origin:
            return True
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        if origin is None or self._settings.allows_origin(origin):
            return True
        host = headers.get(b"host")
        return host is not None and urlsplit(origin).netloc == host


async def _deny(scope: Scope, send: Send, status: int) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1000})  # the server answers 403
        return
    await send({"type": "websocket.http.response.start", "status": status, "headers": []})
    await send({"type": "websocket.http.response.body", "body": b""})
