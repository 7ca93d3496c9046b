"""Who sent a mutation, as far as the router can tell: the client's address and its user agent.

The router sends both with mutations (``ROUTER_CLIENT_ADDRESS_FORWARDED_AS``,
``ROUTER_MUTATION_HEADERS``), and nobody else is answered (``shared.graphql.router_secret``). They
are for people to recognise their sessions by, and for limits; nothing is allowed because of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLIENT_ADDRESS_HEADER", "Client"]

CLIENT_ADDRESS_HEADER: Final = "x-client-address"

_MAX_USER_AGENT = 256
_IPV6_PREFIX = 64  # one customer's network: whoever has one address of it has all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Where a request comes from; None: not known. ``address`` is in its canonical form,
    ``user_agent`` one printable line of 256 characters at most.
    """

    address: str | None = None
    user_agent: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """The client that a request's headers tell of."""
        address = headers.get(CLIENT_ADDRESS_HEADER)
        return cls(
            address=None if address is None else _canonical(address),
            user_agent=_printable(headers.get("user-agent", ""))[:_MAX_USER_AGENT] or None,
        )

    @property
    def limit_key(self) -> str | None:
        """Whose requests are counted together: an IPv4 address, or an IPv6 network of /64."""
        if self.address is None or ":" not in self.address:
            return self.address
        return str(IPv6Network((int(IPv6Address(self.address)), _IPV6_PREFIX), strict=False))


def _canonical(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        address = IPv6Address(int(address))  # without a zone, which means nothing elsewhere
    return str(address)


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
