"""The limits that depend on who asks, together: one for each router process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.server.limits.addresses import ClientAddresses
from router.server.limits.connections import ConnectionLimit
from router.server.limits.rates.limiter import make_rate_limiter

if TYPE_CHECKING:
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["RequestLimits"]


class RequestLimits:
    """What is not configured is None, and costs a request nothing.

    Attributes:
        addresses: Finds clients behind trusted proxies.
        rates: How often somebody may ask.
        connections_per_address: WebSocket connections of one address.
        connections_per_user: Those of one user, from ``connection_init`` on.
    """

    def __init__(self, settings: RouterSettings, metrics: Metrics) -> None:
        self.addresses = ClientAddresses(settings) if settings.trusted_proxies else None
        self.rates = make_rate_limiter(settings, metrics)
        self.connections_per_address = ConnectionLimit(
            settings.websocket_max_connections_per_address
        )
        self.connections_per_user = ConnectionLimit(settings.websocket_max_connections_per_user)

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self.rates is not None:
            await self.rates.aclose()
