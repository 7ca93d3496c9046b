"""ASGI middleware that gives each request and each WebSocket its identity.

Outermost in every app: it reads ``x-request-id`` and ``traceparent``, binds them for logs and
errors, and returns the request id in the response header of the same name. Raw ASGI, since it
stands on the path of every request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from shared.telemetry.request_context import bind_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestContextMiddleware"]

_REQUEST_ID_HEADER = b"x-request-id"


class RequestContextMiddleware:
    """Wraps an ASGI app; passes lifespan and unknown scopes through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        request_id = bind_request(
            _first(headers, _REQUEST_ID_HEADER), _first(headers, b"traceparent")
        )
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                message = {
                    **message,
                    "headers": [
                        *message.get("headers", ()),
                        (_REQUEST_ID_HEADER, request_id.encode()),
                    ],
                }
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")


def _first(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The first value of a header; ASGI gives names in lower case."""
    return next((value.decode("latin-1") for key, value in headers if key == name), None)
