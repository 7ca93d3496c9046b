"""What the server takes from a request's headers, read in one pass.

The request id: a client's own ``x-request-id`` when it is harmless to log, else a new one. Header
propagation is an allow-list; everything else stays here. What subgraphs want to know of clients
when something changes (``mutation_headers``, the address) goes with mutations alone: it differs
between clients, and with queries it would keep them from sharing answers and connections.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.server.access.authenticator import token_source
from router.server.header_rules import NEVER_FORWARDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.server.access.identity import Identity
    from router.server.settings import RouterSettings

__all__ = ["ForwardedHeaders", "HeaderReader", "RequestHeaders", "new_request_id"]

ForwardedHeaders = tuple[tuple[str, str], ...]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:@/+=-]{1,128}")
# Headers whose value decides how a request is handled; the other ones are only compared with the
# allow-lists.
_DECISIVE = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"sec-fetch-site",
        b"traceparent",
        b"x-request-id",
        b"x-router-debug",
    }
)


def new_request_id() -> str:
    """Return a random request id: 128 bits in hexadecimal."""
    return os.urandom(16).hex()


@dataclass(slots=True)
class RequestHeaders:
    """The headers of one request, as far as the server looks at them."""

    values: dict[bytes, bytes]
    forward: ForwardedHeaders
    preflighted: bool
    request_id: str
    with_mutations: ForwardedHeaders = ()  # what mutations forward beside `forward`
    credentials: tuple[tuple[bytes, bytes], ...] = ()  # where an access token may be, as they came
    identity: Identity | None = None  # whom the token names, once it is verified

    def get(self, name: bytes) -> bytes | None:
        """Return a decisive header's value (the first one when it is repeated), None when there is
        none.
        """
        return self.values.get(name)

    @property
    def wants_debug(self) -> bool:
        """Whether the client asked for the plan and timings."""
        return self.values.get(b"x-router-debug") in {b"1", b"true"}


class HeaderReader:
    """Reads :class:`RequestHeaders` out of ASGI headers, whose names are lower-case."""

    __slots__ = ("_address", "_credentials", "_csrf", "_forward", "_matching", "_of_mutations")

    def __init__(self, settings: RouterSettings) -> None:
        self._forward = {name.encode("latin-1"): name for name in settings.client_headers}
        self._of_mutations = {name.encode("latin-1"): name for name in settings.mutation_headers}
        self._address = settings.client_address_forwarded_as
        self._matching = tuple(filter(None, (rule.reads for rule in settings.header_rules)))
        self._csrf = frozenset(name.encode("latin-1") for name in settings.csrf_headers)
        self._credentials = token_source(settings).headers if settings.jwt_issuers else frozenset()

    def read(
        self, raw: Iterable[tuple[bytes, bytes]], client: tuple[str, int] | None = None
    ) -> RequestHeaders:
        """Read a request's headers; ``client`` is where it comes from, as ASGI has it."""
        values: dict[bytes, bytes] = {}
        forward: list[tuple[str, str]] = []
        with_mutations: list[tuple[str, str]] = []
        credentials: list[tuple[bytes, bytes]] = []
        preflighted = False
        for name, value in raw:
            if name in _DECISIVE:
                values.setdefault(name, value)
            if name in self._forward:
                forward.append((self._forward[name], value.decode("latin-1")))
            elif name in self._of_mutations:
                with_mutations.append((self._of_mutations[name], value.decode("latin-1")))
            elif self._matching and self._matches(text := name.decode("latin-1")):
                forward.append((text, value.decode("latin-1")))
            if name in self._csrf and value:
                preflighted = True
            if name in self._credentials:
                credentials.append((name, value))
        given = values.get(b"x-request-id")
        accepted = given is not None and _REQUEST_ID.fullmatch(given) is not None
        request_id = given.decode("latin-1") if given is not None and accepted else new_request_id()
        if self._address is not None and client is not None:
            with_mutations.append((self._address, client[0]))
        return RequestHeaders(
            values,
            tuple(forward),
            preflighted,
            request_id,
            tuple(with_mutations),
            tuple(credentials),
        )

    def forwards(self, name: str) -> bool:
        """Tell whether a header of this name, in lower case, reaches subgraphs."""
        return name.encode("utf-8", "replace") in self._forward or self._matches(name)

    def _matches(self, name: str) -> bool:
        if name in NEVER_FORWARDED or name == self._address:
            return False
        return any(one.fullmatch(name) for one in self._matching)
