"""The secret by which subgraphs know the router: sent with every request, and kept from clients.

By HTTP it is in the header ``router-authorization``, by WebSocket under that name in the payload of
``connection_init``. ``docs/adr/0009`` says why it is no signature.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from router.executor.context import JsonObject
    from router.executor.transport.base import SubgraphRequest, SubgraphResponse, SubgraphTransport
    from router.server.settings import RouterSettings

__all__ = ["ROUTER_HEADER", "with_router_secret"]

ROUTER_HEADER: Final = "router-authorization"


def with_router_secret(
    transport: SubgraphTransport, subgraph: str, settings: RouterSettings
) -> SubgraphTransport:
    """Return the transport to a subgraph that has the router's secret, if there is one for it."""
    secret = settings.subgraph_secrets.get(subgraph, settings.subgraph_secret)
    if secret is None:
        return transport
    return _SecretTransport(transport, secret.get_secret_value())


class _SecretTransport:
    """A transport that adds the secret to every request."""

    def __init__(self, transport: SubgraphTransport, secret: str) -> None:
        self._transport = transport
        self._header = (ROUTER_HEADER, secret)

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        return await self._transport.execute(request.with_header(*self._header))

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject | None, None]:
        name, secret = self._header
        payload = {**request.connection_init, name: secret}
        return self._transport.subscribe(replace(request, connection_init=payload))

    async def aclose(self) -> None:
        await self._transport.aclose()
