"""Which address a request comes from.

By default the peer of the connection. Behind proxies that are trusted by configuration it is the
last address in ``X-Forwarded-For`` or ``Forwarded`` that none of them has: what stands further left
was written by somebody who is not trusted. A malformed header is believed up to where it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from ipaddress import IPv4Network

    from starlette.types import Scope

    from router.server.settings import RouterSettings

__all__ = ["ClientAddresses", "rate_key"]

_Address: TypeAlias = "IPv4Address | IPv6Address"

_UNKNOWN = "unknown"  # unix sockets, programs that embed the router
_IPV6_PREFIX = 64  # one customer's network: whoever has one address of it has all of them
_MAX_HOPS = 32

# One member of Forwarded's for=: a token, or a quoted string (RFC 7239, section 4).
_FORWARDED_FOR = re.compile(r'(?:^|;)\s*for=(?:"([^"\\]*)"|([^";,\s]+))', re.IGNORECASE)
_BRACKETED = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+)(?::\d{1,5})?")


class ClientAddresses:
    """Puts the client's address into ASGI scopes, in place of the last proxy's."""

    def __init__(self, settings: RouterSettings) -> None:
        self._trusted: Sequence[IPv4Network | IPv6Network] = settings.trusted_proxies
        self._header = settings.client_address_header.encode("latin-1")

    def resolve(self, scope: Scope) -> None:
        """Set ``client`` of a scope."""
        client = scope.get("client")
        peer = _parse(client[0]) if client else None
        if peer is None or not self._is_trusted(peer):
            return
        found = peer
        for hop in self._hops(scope["headers"]):
            address = _parse(hop)
            if address is None:
                break
            found = address
            if not self._is_trusted(address):
                break
        if found is not peer:
            scope["client"] = (str(found), 0)

    def _hops(self, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
        """Yield the addresses that the proxies saw, the nearest first."""
        values = [value.decode("latin-1") for name, value in headers if name == self._header]
        hops = ",".join(values).split(",")
        for hop in reversed(hops[-_MAX_HOPS:]):
            if self._header == b"forwarded":
                match = _FORWARDED_FOR.search(hop.strip())
                yield (match[1] or match[2] or "") if match else ""
            else:
                yield hop.strip()

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _parse(text: str) -> _Address | None:
    """Read an address, perhaps with a port; None for anything else."""
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(match[1] if match else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def _rate_key(text: str) -> str:
    address = _parse(text)
    if address is None:
        return _UNKNOWN
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)


def rate_key(scope: Scope) -> str:
    """Return whose requests are counted together: an IPv4 address, or an IPv6 network of /64."""
    client = scope.get("client")
    return _rate_key(client[0]) if client else _UNKNOWN
