"""The transport to a subgraph at a URL: HTTP, and WebSocket for subscriptions.

``http://users:4001/graphql``, ``https://…`` and ``unix:///run/users.sock?path=/graphql`` are
understood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, parse_qs, urlsplit

from router.executor.transport.graphql_ws import GraphQLWebSocketClient
from router.executor.transport.http_pool import HttpPool, tcp_connector, unix_connector
from router.executor.transport.https import HttpsClient
from router.executor.transport.settings import TransportSettings
from router.executor.transport.websocket import websocket_connector

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator

    from router.executor.context import JsonObject
    from router.executor.transport.base import SubgraphRequest, SubgraphResponse

__all__ = ["NetworkTransport", "network_transport"]


class _HttpClient(Protocol):
    async def execute(self, request: SubgraphRequest) -> SubgraphResponse: ...

    async def aclose(self) -> None: ...


class NetworkTransport:
    """Sends over HTTP and subscribes over WebSocket."""

    def __init__(self, http: _HttpClient, websocket: GraphQLWebSocketClient) -> None:
        self._http = http
        self._websocket = websocket

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send a query or mutation. Raises TransportError."""
        return await self._http.execute(request)

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject | None, None]:
        """Yield the payloads of a subscription. Raises SubscriptionError."""
        return self._websocket.subscribe(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._websocket.aclose()
        await self._http.aclose()


def network_transport(
    url: str,
    settings: TransportSettings | None = None,
    *,
    subscription_url: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> NetworkTransport:
    """Return the transport to ``url``.

    Subscriptions go to ``subscription_url``, by default the same place. ``tls`` replaces the
    system's idea of which certificates to trust. Nothing is opened before the first request.
    Raises ValueError for a URL that is not understood.
    """
    settings = settings or TransportSettings()
    parts = urlsplit(url)
    match parts.scheme:
        case "unix":
            return _unix_transport(parts, settings)
        case "http" if parts.hostname:
            http: _HttpClient = HttpPool(
                tcp_connector(parts.hostname, parts.port or 80),
                host=parts.netloc.rpartition("@")[2],
                target=_target(parts),
                settings=settings,
            )
        case "https" if parts.hostname:
            http = HttpsClient(url, settings, tls)
        case _:
            raise ValueError(f"not the URL of a subgraph: {url!r}")
    upstream = subscription_url or "ws" + url.removeprefix("http")
    return NetworkTransport(
        http, GraphQLWebSocketClient(websocket_connector(upstream, settings, tls=tls), settings)
    )


def _unix_transport(parts: SplitResult, settings: TransportSettings) -> NetworkTransport:
    target = parse_qs(parts.query).get("path", ["/graphql"])[0]
    http = HttpPool(unix_connector(parts.path), host="localhost", target=target, settings=settings)
    connector = websocket_connector(f"ws://localhost{target}", settings, unix_path=parts.path)
    return NetworkTransport(http, GraphQLWebSocketClient(connector, settings))


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path
