"""How requests get to subgraphs: HTTP, WebSocket, or a call inside the process."""

from router.executor.transport.asgi import AsgiApp, AsgiTransport
from router.executor.transport.base import (
    AnswerTooLargeError,
    NotReachedError,
    SubgraphRequest,
    SubgraphResponse,
    SubgraphTransport,
    SubscriptionError,
    SubscriptionFailure,
    TooManyWaitingError,
    TransportError,
    UnreadableAnswerError,
)
from router.executor.transport.network import NetworkTransport, network_transport
from router.executor.transport.settings import TransportSettings

__all__ = [
    "AnswerTooLargeError",
    "AsgiApp",
    "AsgiTransport",
    "NetworkTransport",
    "NotReachedError",
    "SubgraphRequest",
    "SubgraphResponse",
    "SubgraphTransport",
    "SubscriptionError",
    "SubscriptionFailure",
    "TooManyWaitingError",
    "TransportError",
    "TransportSettings",
    "UnreadableAnswerError",
    "network_transport",
]
