"""The body of a POST request: its media type is checked, then it is read within the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import ClientGoneError
from router.server.negotiation import is_json

if TYPE_CHECKING:
    from starlette.types import Receive

    from router.server.headers import RequestHeaders

__all__ = ["read_body", "require_json"]


def require_json(headers: RequestHeaders) -> None:
    """Raise ``UNSUPPORTED_MEDIA_TYPE`` unless the body is uncompressed JSON in UTF-8."""
    content_type = headers.get(b"content-type")
    if content_type is None or not is_json(content_type):
        raise RequestError(
            RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "The content-type must be application/json, in UTF-8",
            status=415,
        )
    if headers.get(b"content-encoding") not in {None, b"", b"identity"}:
        raise RequestError(
            RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "Compressed requests are not supported",
            status=415,
            headers=((b"accept-encoding", b"identity"),),
        )


async def read_body(receive: Receive, headers: RequestHeaders, limit: int) -> bytes:
    """Return the body, at most ``limit`` bytes; raises ``PAYLOAD_TOO_LARGE`` before more than that
    is in memory.
    """
    announced = headers.get(b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message.get("body", b"")  # all of it at once, as nearly always
        if len(body) > limit:
            raise _too_large(limit)
        return body
    collected = bytearray()
    while message["type"] == "http.request":
        collected += message.get("body", b"")
        if len(collected) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return bytes(collected)
        message = await receive()
    raise ClientGoneError


def _too_large(limit: int) -> RequestError:
    # Without connection: close. Closing under a client that still sends would reset the connection,
    # and the client would never read why; the server skips the rest of the body.
    return RequestError(
        RequestErrorCode.PAYLOAD_TOO_LARGE,
        f"The body is larger than {limit} bytes",
        status=413,
    )
