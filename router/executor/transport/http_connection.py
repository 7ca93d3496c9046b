"""One kept-alive HTTP/1.1 connection on asyncio and httptools, for one request at a time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, cast

import httptools
from typing_extensions import override

from router.executor.transport.base import (
    AnswerTooLargeError,
    ConnectionLostError,
    NotReachedError,
    SubgraphResponse,
    TransportError,
    UnreadableAnswerError,
)
from router.executor.transport.encoding import decode_body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["ConnectionDiedError", "HttpConnection"]

_FIRST_FINAL_STATUS: Final = 200
_MAX_HEAD: Final = 65_536
_CHUNK_OVERHEAD: Final = 8  # bytes of framing that a byte of a chunked body may cost


class ConnectionDiedError(NotReachedError):
    """The connection ended before any byte of the response; it may have been idle too long."""


class HttpConnection(asyncio.Protocol):
    """A connection that carries one request after the other.

    ``last_used`` is the loop time at which the last response was complete; None before the first
    one.
    """

    def __init__(self, max_response_size: int) -> None:
        self._max_response_size = max_response_size
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[SubgraphResponse] | None = None
        self._drained: asyncio.Future[None] | None = None  # while too much waits to be sent
        self._closed = self._loop.create_future()
        self.last_used: float | None = None
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[str, str]] = []
        self._chunks: list[bytes] = []
        self._size = 0
        self._received = 0  # bytes of all kinds
        self._status = 0
        self._has_length = False
        self._encoding = ""

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def request(
        self, data: bytes, rest: AsyncGenerator[bytes, None] | None = None
    ) -> SubgraphResponse:
        """Send a request, maybe with the rest of its body piece by piece, and return its response;
        one at a time.

        Raises ConnectionDiedError or TransportError. If it fails or is cancelled the connection
        is closed.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionDiedError("The connection to the subgraph was closed.")
        self._reset()
        self._waiter = self._loop.create_future()
        self._transport.write(data)
        try:
            if rest is not None and not await self._send(rest, self._transport, self._waiter):
                response = await self._waiter
                self.close()  # answered before all was sent: nothing may follow
                return response
            return await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None

    async def _send(
        self,
        rest: AsyncGenerator[bytes, None],
        transport: asyncio.Transport,
        waiter: asyncio.Future[SubgraphResponse],
    ) -> bool:
        """Send pieces no faster than they are taken; False when there is an answer before the end,
        or the connection is lost.
        """
        async with aclosing(rest):
            async for piece in rest:
                if self._drained is not None:
                    await asyncio.wait((self._drained, waiter), return_when=asyncio.FIRST_COMPLETED)
                if waiter.done():
                    return False
                transport.write(piece)
        return True

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Return when the socket has been closed."""
        if self._transport is not None:
            await self._closed

    # asyncio.Protocol

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    @override
    def pause_writing(self) -> None:
        """Let :meth:`_send` wait."""
        self._drained = self._loop.create_future()

    @override
    def resume_writing(self) -> None:
        """Let it go on."""
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    @override
    def data_received(self, data: bytes) -> None:
        """Feed the parser; its callbacks follow."""
        if self._waiter is None or self._waiter.done():
            # bytes nobody has asked for: whatever they are, they do not answer the next request
            self.close()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(UnreadableAnswerError("The subgraph did not answer with HTTP."))
        # Whatever is not body: headers, interim responses, chunk extensions, trailers. The parser
        # would gather an endless one.
        if self._received - self._size > _MAX_HEAD + _CHUNK_OVERHEAD * self._size:
            self._fail(AnswerTooLargeError())

    @override
    def eof_received(self) -> bool:
        """Finish a response that ends with the connection; let the transport close itself."""
        if self._status and not self._has_length:
            self._complete(keep=False)
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way, if there is one."""
        if self._received:
            self._fail(ConnectionLostError("The connection to the subgraph broke off."))
        else:
            self._fail(ConnectionDiedError("The connection to the subgraph was closed."))
        self._transport = None
        if not self._closed.done():
            self._closed.set_result(None)

    # httptools

    def on_message_begin(self) -> None:
        """Start over: an interim (1xx) response may have been read before."""
        if self._waiter is None or self._waiter.done():
            self.close()  # more than was asked for follows the response
            return
        self._headers, self._encoding = [], ""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers.append((key, text))
        if key == "content-length":
            self._has_length = True
        elif key == "transfer-encoding":
            self._has_length |= text.lower().endswith("chunked")
        elif key == "content-encoding":
            self._encoding = f"{self._encoding}, {text}" if self._encoding else text

    def on_headers_complete(self) -> None:
        """Take the status."""
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._size += len(body)
        if self._size > self._max_response_size:
            self._fail(AnswerTooLargeError())
            return
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        """Hand over the response."""
        if self._status >= _FIRST_FINAL_STATUS:
            self._complete(keep=self._parser.should_keep_alive())
        else:
            self._status, self._has_length = 0, False

    def _complete(self, *, keep: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            try:
                self._waiter.set_result(self._response())
            except TransportError as error:  # the connection is fine, the body is not
                self._waiter.set_exception(error)
            self.last_used = self._loop.time()
        if not keep:
            self.close()

    def _response(self) -> SubgraphResponse:
        body = b"".join(self._chunks)
        if self._encoding:
            body = decode_body(body, self._encoding, self._max_response_size)
        return SubgraphResponse(self._status, body, tuple(self._headers))

    def _fail(self, error: TransportError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        self.close()
