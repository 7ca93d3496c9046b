"""The body of a POST request: its media type is checked, then it is read within the limit."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import ClientGoneError
from router.server.http.compression import payload_too_large, unpack
from router.server.negotiation import is_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Message, Receive

    from router.server.headers import RequestHeaders
    from router.server.settings import RouterSettings

__all__ = ["in_time", "read_body", "require_json"]


def require_json(headers: RequestHeaders) -> None:
    """Raise ``UNSUPPORTED_MEDIA_TYPE`` unless the body is JSON in UTF-8."""
    content_type = headers.get(b"content-type")
    if content_type is None or not is_json(content_type):
        raise RequestError(
            RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "The content-type must be application/json, in UTF-8",
            status=415,
        )


async def read_body(receive: Receive, headers: RequestHeaders, settings: RouterSettings) -> bytes:
    """Return the body, unpacked if it is compressed.

    Raises ``PAYLOAD_TOO_LARGE`` before more of it than the limit is in memory, packed or unpacked,
    and ``REQUEST_TIMEOUT`` when it does not come in time.
    """
    body = await _read_raw(receive, headers, settings)
    coding = headers.get(b"content-encoding")
    return body if coding is None else unpack(body, coding, settings.max_body_bytes)


@asynccontextmanager
async def in_time(seconds: float) -> AsyncGenerator[None, None]:
    """Raise ``REQUEST_TIMEOUT`` when the block, which reads a body, takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise RequestError(
            RequestErrorCode.REQUEST_TIMEOUT,
            f"The body did not come within {seconds:g} seconds",
            status=408,
            headers=((b"connection", b"close"),),  # nobody waits for the rest
        ) from None


async def _read_raw(receive: Receive, headers: RequestHeaders, settings: RouterSettings) -> bytes:
    limit = settings.max_body_bytes
    announced = headers.get(b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise payload_too_large(limit)
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message.get("body", b"")  # all of it at once, as nearly always
        if len(body) > limit:
            raise payload_too_large(limit)
        return body
    async with in_time(settings.body_timeout):
        return await _collect(receive, message, limit)


async def _collect(receive: Receive, message: Message, limit: int) -> bytes:
    collected = bytearray()
    while message["type"] == "http.request":
        collected += message.get("body", b"")
        if len(collected) > limit:
            raise payload_too_large(limit)
        if not message.get("more_body"):
            return bytes(collected)
        message = await receive()
    raise ClientGoneError
