"""One subscription as the answer of an HTTP request, until either side ends it.

The hub hands events over without waiting; the task of the request writes them. ASGI's ``send``
waits for the client's socket, so what a slow client has not taken waits in a bounded backlog. When
that is full, the stream ends with an error: nothing is left out in between. A client that hangs up
cancels the writing, and leaves the hub at once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from router.server.hangup import ClientGoneError, HangupWatch
from router.server.subscriptions.backlog import Backlog
from router.server.subscriptions.ending import OVERFLOW, SCHEMA_RELOADED, STOPPING
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from router.executor.context import ErrorDict
    from router.server.errors import Header
    from router.server.http.stream_format import StreamFormat
    from router.server.http.streams import StreamChannel
    from router.server.settings import RouterSettings
    from router.server.subscriptions.ending import EndReason
    from router.server.subscriptions.hub import Member

__all__ = [
    "COMPLETE",
    "CONNECTION_EXTENSION",
    "FAILED",
    "GONE",
    "StreamConnection",
    "SubscriptionStream",
]

CONNECTION_EXTENSION: Final = "router.http.connection"
"""The ASGI extension ``{"connection": StreamConnection}``; without it, a server's own rules hold
for clients that do not read and for streams that are open when it stops.
"""

COMPLETE: Final = "complete"  # how a stream ended, beside the codes of reasons: for metrics
FAILED: Final = "error"
GONE: Final = "client"


class StreamConnection(Protocol):
    """What a stream needs beyond ASGI of the connection under it (see ``protocol``)."""

    on_stop: Callable[[], None] | None  # called when the server stops

    def abort(self) -> None:
        """Cut the client off."""
        ...


class SubscriptionStream:
    """A subscriber of the hub (see ``subscriptions.hub.Subscriber``).

    Once :meth:`serve` has returned, ``outcome``, ``closed_by`` and ``size`` (bytes of the body)
    tell what came of it.
    """

    __slots__ = (
        "_backlog",
        "_close_timeout",
        "_connection",
        "_end",
        "_form",
        "_has_errors",
        "_heartbeat_interval",
        "_member",
        "_patience",
        "_receive",
        "_send",
        "closed_by",
        "outcome",
        "size",
    )

    def __init__(
        self,
        form: StreamFormat,
        settings: RouterSettings,
        channel: StreamChannel,
    ) -> None:
        self._form = form
        scope, self._receive, self._send = channel
        extension = (scope.get("extensions") or {}).get(CONNECTION_EXTENSION)
        self._connection: StreamConnection | None = extension and extension["connection"]
        self._backlog = Backlog(settings.stream_queue_bytes)
        self._heartbeat_interval = settings.stream_heartbeat_interval
        self._close_timeout = settings.stream_close_timeout
        self._member: Member | None = None
        self._patience: asyncio.Timeout | None = None
        self._end: bytes | None = None  # what is written last, once that is known
        self._has_errors = False
        self.outcome = Outcome.CANCELLED
        self.closed_by = GONE
        self.size = 0

    async def serve(
        self, join: Callable[[SubscriptionStream], Member], headers: Sequence[Header]
    ) -> None:
        """Subscribe, and write the response to its end.

        Raises ClientGoneError when the client has hung up, or does not take the end in time.
        """
        connection = self._connection
        try:
            if connection is not None:
                connection.on_stop = partial(self.end_early, STOPPING)
            with HangupWatch(self._receive):
                async with asyncio.timeout(None) as self._patience:
                    if self._end is None:  # else it ended before it began: the router is stopping
                        self._member = join(self)
                    await self._send(
                        {"type": "http.response.start", "status": 200, "headers": headers}
                    )
                    await self._write_all()
        except TimeoutError:
            await self._cut_off()
            raise ClientGoneError from None
        except OSError as error:  # how some servers say that the client is gone
            raise ClientGoneError from error
        finally:
            if self._member is not None:
                self._member.leave()
            if connection is not None:
                connection.on_stop = None

    def deliver(self, payload: str, *, has_errors: bool) -> None:
        """Queue an event; one that does not fit ends the stream."""
        if self._end is not None:
            return
        self._has_errors |= has_errors
        if not self._backlog.put(payload):
            self._backlog.clear()
            self.end_early(OVERFLOW)

    def end(self, outcome: str, errors: list[ErrorDict] | None = None) -> None:
        """Let what is queued be followed by the end: by itself, or with why there is no more."""
        if self._end is not None:
            return
        if errors is None:
            self._end = self._form.ending
            self.closed_by = COMPLETE
        else:
            self._end = self._form.failure(errors) + self._form.ending
            self.closed_by = FAILED
        is_clean = outcome is Outcome.OK and not self._has_errors
        self.outcome = Outcome.ERRORS if outcome is Outcome.OK and not is_clean else outcome
        self._backlog.wake()
        if self._patience is not None:
            now = asyncio.get_running_loop().time()
            self._patience.reschedule(now + self._close_timeout)

    def end_early(self, reason: EndReason) -> None:
        """End the subscription from the router's side, and tell the client why."""
        if self._end is None:
            if self._member is not None:
                self._member.leave()
            self.end(Outcome.ERRORS, reason.errors())
            self.closed_by = str(reason.code)

    @property
    def renewal(self) -> Callable[[], None]:
        """What ends the stream when the supergraph has been replaced."""
        return self._renew

    def _renew(self) -> None:
        self.end_early(SCHEMA_RELOADED)

    async def _write_all(self) -> None:
        backlog = self._backlog
        await self._write(self._form.opening)
        while True:
            while (payload := backlog.take()) is not None:
                await self._write(self._form.result(payload.encode()))
            if self._end is not None:
                await self._write(self._end, is_last=True)
                return
            try:
                async with asyncio.timeout(self._heartbeat_interval):
                    await backlog.wait()
            except TimeoutError:
                await self._write(self._form.heartbeat)

    async def _write(self, data: bytes, *, is_last: bool = False) -> None:
        message: dict[str, Any] = {
            "type": "http.response.body",
            "body": data,
            "more_body": not is_last,
        }
        await self._send(message)
        self.size += len(data)

    async def _cut_off(self) -> None:
        """Give the connection up: the client does not read, and what is in the socket's buffers
        would wait for it for ever.
        """
        if self._connection is None:
            return
        self._connection.abort()
        while (await self._receive())["type"] != "http.disconnect":
            pass
