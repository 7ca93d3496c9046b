"""How requests get to subgraphs: HTTP, WebSocket, or a call inside the process."""

from router.executor.transport.asgi import AsgiApp, AsgiTransport
from router.executor.transport.base import (
    SubgraphRequest,
    SubgraphResponse,
    SubgraphTransport,
    SubscriptionError,
    SubscriptionFailure,
    TransportError,
)
from router.executor.transport.network import NetworkTransport, network_transport
from router.executor.transport.settings import TransportSettings

__all__ = [
    "AsgiApp",
    "AsgiTransport",
    "NetworkTransport",
    "SubgraphRequest",
    "SubgraphResponse",
    "SubgraphTransport",
    "SubscriptionError",
    "SubscriptionFailure",
    "TransportError",
    "TransportSettings",
    "network_transport",
]
