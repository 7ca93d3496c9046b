"""What one client still has to receive, and the close frame behind it.

Operations put messages without waiting; one task writes them in order. When a client takes less
than it asks for, the queue reaches its bound and the connection is closed with code 4413: memory
stays bounded, and the client knows that it missed something. Nothing is ever dropped on a
connection that goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.subscriptions.backlog import Backlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Send

__all__ = ["OutgoingQueue"]

_MAX_REASON_BYTES = 123  # RFC 6455, section 5.5


class OutgoingQueue:
    """Messages on their way to one client, and the close frame behind them."""

    __slots__ = ("_backlog", "_close", "_on_overflow", "_send")

    def __init__(self, send: Send, *, limit: int, on_overflow: Callable[[], None]) -> None:
        self._send = send
        self._backlog = Backlog(limit)
        self._on_overflow = on_overflow
        self._close: tuple[int, str] | None = None

    @property
    def closing(self) -> tuple[int, str] | None:
        """Code and reason that the connection is being closed with, None while it is open."""
        return self._close

    def put(self, text: str) -> None:
        """Queue a message; does nothing once the connection is closing. What does not fit is the
        overflow.
        """
        if self._close is None and not self._backlog.put(text):
            self._on_overflow()

    def close(self, code: int, reason: str, *, flush: bool = True) -> None:
        """Close the connection after what is queued, or in place of it. The first call counts."""
        if self._close is not None:
            return
        if not flush:
            self._backlog.clear()
        self._close = (int(code), _fit(reason))
        self._backlog.wake()

    async def write(self) -> None:
        """Write messages until the connection is closed; OSError means that the client left."""
        backlog = self._backlog
        while True:
            while (text := backlog.take()) is not None:
                await self._send({"type": "websocket.send", "text": text})
            if self._close is not None:
                code, reason = self._close
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            await backlog.wait()


def _fit(reason: str) -> str:
    return reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
