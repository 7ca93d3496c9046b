"""The body of a POST request: its media type is checked, then it is read within the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import ClientGoneError
from router.server.http.compression import payload_too_large, unpack
from router.server.negotiation import is_json

if TYPE_CHECKING:
    from starlette.types import Receive

    from router.server.headers import RequestHeaders

__all__ = ["read_body", "require_json"]


def require_json(headers: RequestHeaders) -> None:
    """Raise ``UNSUPPORTED_MEDIA_TYPE`` unless the body is JSON in UTF-8."""
    content_type = headers.get(b"content-type")
    if content_type is None or not is_json(content_type):
        raise RequestError(
            RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "The content-type must be application/json, in UTF-8",
            status=415,
        )


async def read_body(receive: Receive, headers: RequestHeaders, limit: int) -> bytes:
    """Return the body, unpacked if it is compressed; raises ``PAYLOAD_TOO_LARGE`` before more than
    ``limit`` bytes of it are in memory, packed or unpacked.
    """
    body = await _read_raw(receive, headers, limit)
    coding = headers.get(b"content-encoding")
    return body if coding is None else unpack(body, coding, limit)


async def _read_raw(receive: Receive, headers: RequestHeaders, limit: int) -> bytes:
    announced = headers.get(b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise payload_too_large(limit)
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message.get("body", b"")  # all of it at once, as nearly always
        if len(body) > limit:
            raise payload_too_large(limit)
        return body
    collected = bytearray()
    while message["type"] == "http.request":
        collected += message.get("body", b"")
        if len(collected) > limit:
            raise payload_too_large(limit)
        if not message.get("more_body"):
            return bytes(collected)
        message = await receive()
    raise ClientGoneError
