"""All subscriptions over HTTP of one router: who may have one, how many there are, and their end at
shutdown.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import structlog

from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import ClientGoneError
from router.server.http.stream_format import FORMATS
from router.server.http.subscription_stream import SubscriptionStream
from router.server.limits.addresses import rate_key
from router.server.limits.rates.limiter import Caller
from router.server.subscriptions.ending import STOPPING
from router.server.subscriptions.session import session_of
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive, Scope, Send

    from router.server.errors import Header
    from router.server.http.runner import HttpOperation
    from router.server.limits.requests import RequestLimits
    from router.server.negotiation import StreamType
    from router.server.settings import RouterSettings
    from router.server.subscriptions.hub import Member
    from router.server.subscriptions.session import SessionHold, Sessions
    from router.server.telemetry import Metrics

__all__ = ["StreamChannel", "SubscriptionStreams"]

_log = structlog.get_logger(__name__)

# Proxies keep what they get until they have much of it, unless they are told; this one is nginx's.
_HEADERS: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"accept"),
)


class StreamChannel(NamedTuple):
    """The HTTP connection of one request."""

    scope: Scope
    receive: Receive
    send: Send


class SubscriptionStreams:
    """Streams count among the connections of their address and user, as WebSockets do."""

    def __init__(
        self,
        settings: RouterSettings,
        metrics: Metrics,
        limits: RequestLimits,
        sessions: Sessions,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._limits = limits
        self._sessions = sessions
        self._open: set[SubscriptionStream] = set()
        self._is_draining = False

    async def serve(
        self,
        operation: HttpOperation,
        kind: StreamType,
        join: Callable[[SubscriptionStream], Member],
        channel: StreamChannel,
    ) -> int:
        """Answer with a subscription; returns the size of the body when it has ended.

        Raises RequestError before anything is sent.
        """
        stream = SubscriptionStream(FORMATS[kind], self._settings, channel)
        headers = (
            (b"content-type", kind.value),
            (b"x-request-id", operation.headers.request_id.encode("latin-1")),
            *_HEADERS,
            *operation.rate_headers,
        )
        with self._place(operation, channel.scope), self._counted(stream, kind):
            hold = self._hold(operation, stream)
            try:
                await stream.serve(join, headers)
            except ClientGoneError:
                pass  # which is how most subscriptions end
            except Exception:  # noqa: BLE001 - the last resort: the answer has begun
                stream.outcome = Outcome.FAILED
                _log.exception("stream failed", request_id=operation.headers.request_id)
            finally:
                if hold is not None:
                    hold.release()
                operation.outcome = stream.outcome
        return stream.size

    def drain(self) -> None:
        """End all streams, and those that still come, and tell their clients why."""
        self._is_draining = True
        for stream in tuple(self._open):
            stream.end_early(STOPPING)

    @contextmanager
    def _place(self, operation: HttpOperation, scope: Scope) -> Iterator[None]:
        """Hold one of the connections that an address and a user may have."""
        limits, identity = self._limits, operation.headers.identity
        caller = Caller(rate_key(scope), None if identity is None else identity.user)
        with (
            limits.connections_per_address.hold(caller.address) as is_free,
            limits.connections_per_user.hold(caller.user_key) as is_free_too,
        ):
            if not (is_free and is_free_too):
                raise RequestError(
                    RequestErrorCode.TOO_MANY_CONNECTIONS, "Too many connections", status=429
                )
            yield

    @contextmanager
    def _counted(self, stream: SubscriptionStream, kind: StreamType) -> Iterator[None]:
        protocol = kind.protocol
        self._open.add(stream)
        self._metrics.connections.streams.labels(protocol).inc()
        try:
            yield
        finally:
            self._open.discard(stream)
            self._metrics.connections.streams.labels(protocol).dec()
            self._metrics.connections.streams_closed.labels(protocol, stream.closed_by).inc()

    def _hold(self, operation: HttpOperation, stream: SubscriptionStream) -> SessionHold | None:
        if self._is_draining:
            stream.end_early(STOPPING)
        identity = operation.headers.identity
        if identity is None:
            return None
        session = session_of(identity, leeway=self._settings.jwt_leeway)
        return self._sessions.hold(session, stream.end_early)
