"""Metrics of what stays open between a client and the router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["ConnectionMetrics"]


class ConnectionMetrics:
    """WebSocket connections with their operations, and subscriptions over HTTP."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.websockets = Gauge(
            "router_websocket_connections",
            "Open WebSocket connections",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.websocket_operations = Gauge(
            "router_websocket_operations",
            "Operations running on WebSocket connections",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.websockets_closed = Counter(
            "router_websocket_closed",
            "WebSocket connections that the router closed",
            ("code",),
            registry=registry,
        )
        self.streams = Gauge(
            "router_http_streams",
            "Subscriptions over HTTP that are open",
            ("protocol",),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.streams_closed = Counter(
            "router_http_streams_closed",
            "Subscriptions over HTTP that have ended",
            ("protocol", "reason"),
            registry=registry,
        )
