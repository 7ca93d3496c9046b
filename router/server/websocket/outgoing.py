"""The bounded queue of what one client still has to receive.

Operations put messages without waiting; one task writes them in order. When a client takes less
than it asks for, the queue reaches its bound and the connection is closed with code 4413: memory
stays bounded, and the client knows that it missed something. Nothing is ever dropped on a
connection that goes on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Send

__all__ = ["OutgoingQueue"]

_OVERHEAD_BYTES = 128  # what a waiting message costs beside its text
_MAX_REASON_BYTES = 123  # RFC 6455, section 5.5


class OutgoingQueue:
    """Messages on their way to one client, and the close frame behind them."""

    __slots__ = ("_bytes", "_close", "_limit", "_messages", "_on_overflow", "_send", "_wake")

    def __init__(self, send: Send, *, limit: int, on_overflow: Callable[[], None]) -> None:
        self._send = send
        self._limit = limit
        self._on_overflow = on_overflow
        self._messages: deque[str] = deque()
        self._bytes = 0
        self._close: tuple[int, str] | None = None
        self._wake = asyncio.Event()

    @property
    def closing(self) -> tuple[int, str] | None:
        """Code and reason that the connection is being closed with, None while it is open."""
        return self._close

    def put(self, text: str) -> None:
        """Queue a message; does nothing once the connection is closing.

        A message that finds others waiting and does not fit beside them is the overflow. One alone
        is always taken: a single answer may be larger than the bound.
        """
        if self._close is not None:
            return
        size = len(text) + _OVERHEAD_BYTES
        if self._messages and self._bytes + size > self._limit:
            self._on_overflow()
            return
        self._messages.append(text)
        self._bytes += size
        self._wake.set()

    def close(self, code: int, reason: str, *, flush: bool = True) -> None:
        """Close the connection after what is queued, or in place of it. The first call counts."""
        if self._close is not None:
            return
        if not flush:
            self._messages.clear()
            self._bytes = 0
        self._close = (int(code), _fit(reason))
        self._wake.set()

    async def write(self) -> None:
        """Write messages until the connection is closed; OSError means that the client left."""
        while True:
            while self._messages:
                text = self._messages.popleft()
                self._bytes -= len(text) + _OVERHEAD_BYTES
                await self._send({"type": "websocket.send", "text": text})
            if self._close is not None:
                code, reason = self._close
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            self._wake.clear()
            await self._wake.wait()


def _fit(reason: str) -> str:
    return reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
