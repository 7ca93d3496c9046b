"""The header by which clients read what they have written, also from replicas.

A request brings the token of earlier answers, and its answer has a new one if it wrote something
(``shared.sharding.positions`` says what a token is). Subscriptions have none: they read primaries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from shared.sharding.positions import track_positions

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONSISTENCY_HEADER", "serve_tracked"]

CONSISTENCY_HEADER: Final = "x-consistency-token"


async def serve_tracked(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request whose reads may go to replicas."""
    brought = ",".join(Headers(scope=scope).getlist(CONSISTENCY_HEADER))
    with track_positions(brought) as positions:

        async def send_with_token(message: Message) -> None:
            if message["type"] == "http.response.start":
                token = positions.token()
                if token is not None:
                    MutableHeaders(scope=message)[CONSISTENCY_HEADER] = token
            await send(message)

        await app(scope, receive, send_with_token)
