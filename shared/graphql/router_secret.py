"""The router's secret: a subgraph answers only who proves to be the router.

By HTTP the secret is in the header ``router-authorization``, by WebSocket in that header of the
handshake or under that name in the payload of ``connection_init``. Several secrets are accepted at
a time, so that they can be replaced without a gap. ``docs/adr/0009`` says why it is no signature.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ROUTER_HEADER", "RouterSecrets"]

ROUTER_HEADER: Final = "router-authorization"


class RouterSecrets:
    """The secrets of which a request must carry one; with none, every request is accepted."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)

    def accept(self, given: object) -> bool:
        """Whether ``given`` is one of the secrets; how long that takes tells nothing of them."""
        if not self._secrets:
            return True
        if not isinstance(given, str):
            return False
        offered = given.encode("utf-8", "surrogateescape")
        # each is compared, so that time does not tell which one it was either
        return sum(hmac.compare_digest(offered, secret) for secret in self._secrets) > 0
