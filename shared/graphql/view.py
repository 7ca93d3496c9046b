"""GraphQL over HTTP POST and over WebSocket (graphql-transport-ws only), for the router to speak
to.

The WebSocket's ``connection_init`` payload carries the token under ``authorization``, as the HTTP
header does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from cross_web import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.types.unset import UNSET, UnsetType
from typing_extensions import override

from shared.auth import Client
from shared.errors import ErrorCode
from shared.graphql.consistency import serve_tracked
from shared.graphql.context import SubgraphContext
from shared.graphql.router_secret import ROUTER_HEADER, RouterSecrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send
    from starlette.websockets import WebSocket

    from shared.graphql.schema import SubgraphSchema

__all__ = ["SubgraphView"]

_CONNECTION_INIT_TIMEOUT = timedelta(seconds=10)
_NOT_THE_ROUTER = JSONResponse(
    {
        "errors": [
            {
                "message": "Only the router is answered here.",
                "extensions": {"code": ErrorCode.FORBIDDEN},
            }
        ]
    },
    status_code=403,
)


class _Handler(BaseGraphQLTransportWSHandler[SubgraphContext, None]):
    """Strawberry's protocol handler, made firm against messages that are not objects."""

    @override
    async def handle_message(self, message: Any) -> None:  # Any: whatever JSON the peer sent
        if not isinstance(message, dict) or not _well_formed(message):
            await self.handle_invalid_message("Invalid message")
            return
        await super().handle_message(message)  # type: ignore[arg-type]  # checked just above


def _well_formed(message: dict[str, object]) -> bool:
    """Whether the parts of a message that the handler relies on have the right types."""
    if not isinstance(message.get("type"), str):
        return False
    if message["type"] in {"subscribe", "complete"} and not isinstance(message.get("id"), str):
        return False
    if message["type"] != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


class SubgraphView(GraphQL[SubgraphContext, None]):
    """The ``/graphql`` endpoint. ``new_context`` makes the context of a request or a connection."""

    graphql_transport_ws_handler_class = _Handler

    def __init__(
        self,
        schema: SubgraphSchema,
        new_context: Callable[[], SubgraphContext],
        router_secrets: RouterSecrets | None = None,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=_CONNECTION_INIT_TIMEOUT,
            # one upstream connection of the router carries the operations of many clients
            max_subscriptions_per_connection=10_000,
        )
        self._new_context = new_context
        self._router_secrets = router_secrets or RouterSecrets()

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; an HTTP request that is not the router's is refused unread."""
        if scope["type"] == "http":
            given = Headers(scope=scope).get(ROUTER_HEADER)
            if not self._router_secrets.accept(given):
                await _NOT_THE_ROUTER(scope, receive, send)
                return
            await serve_tracked(super().__call__, scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    @override
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> SubgraphContext:
        context = self._new_context()
        context.router_secret = request.headers.get(ROUTER_HEADER)
        context.client = Client.of(request.headers)
        await context.sign_in(request.headers.get("authorization"))
        return context

    @override
    async def on_ws_connect(self, context: SubgraphContext) -> UnsetType | dict[str, object] | None:
        """Take the viewer from the payload, of the router alone.

        A bad token is not refused here: each operation says what is wrong with it.
        """
        payload = context.connection_params or {}
        if not self._router_secrets.accept(context.router_secret or payload.get(ROUTER_HEADER)):
            raise ConnectionRejectionError
        for name, value in payload.items():
            if name.lower() == "authorization" and isinstance(value, str):
                await context.sign_in(value)
        acknowledgement: UnsetType = UNSET
        return acknowledgement

    @override
    def parse_json(self, data: str | bytes) -> Any:  # Any: as Strawberry declares it
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "A GraphQL request must be a JSON object")
        return parsed

    @override
    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    @override
    def encode_json(self, data: object) -> str:
        return orjson.dumps(data).decode()
