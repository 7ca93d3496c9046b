"""Answers in parts (``@defer``), in the form of the incremental delivery proposal of 2022-08-24, as
Apollo Client and others read it: they ask for it by ``deferSpec=20220824``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from router.server.hangup import ClientGoneError
from router.server.http.multipart import MultipartBody
from router.server.pipeline.respond import encode

if TYPE_CHECKING:
    from starlette.types import Send

    from router.server.http.runner import HttpOperation

__all__ = ["PartWriter"]

_BODY: Final = MultipartBody("-")
_HEADERS: Final = (
    (b"content-type", b'multipart/mixed; boundary="-"; deferSpec=20220824'),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # or nginx keeps the parts until it has much
    (b"vary", b"accept"),
)


class PartWriter:
    """Writes one response in parts. Its status is sent with the first of them, so it is 200."""

    __slots__ = ("_operation", "_send", "is_started", "size")

    def __init__(self, operation: HttpOperation, send: Send) -> None:
        self._operation = operation
        self._send = send
        self.is_started = False
        self.size = 0  # of what has been written, in bytes

    async def write(self, payload: dict[str, Any], *, last: bool) -> None:
        """Send a part; returns when the client takes it.

        Raises ClientGoneError when the server knows that it does not.
        """
        body = _BODY.part(encode(payload))
        if last:
            body += _BODY.ending
        try:
            if not self.is_started:
                self.is_started = True
                body = _BODY.opening + body
                await self._start()
            self.size += len(body)
            await self._send({"type": "http.response.body", "body": body, "more_body": not last})
        except OSError as error:  # how some servers say that the client is gone
            raise ClientGoneError from error

    async def _start(self) -> None:
        operation = self._operation
        request_id = (b"x-request-id", operation.headers.request_id.encode("latin-1"))
        headers = (*_HEADERS, request_id, *operation.rate_headers)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
