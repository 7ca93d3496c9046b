"""What ``connection_init`` brings: the headers a browser cannot set on a WebSocket handshake.

Clients send their token as ``authorization``, ``Authorization``, or inside ``headers``; all are the
same to us. The allow-list for forwarded headers holds here as for HTTP, so nothing else of the
payload reaches a subgraph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.server.headers import ForwardedHeaders, HeaderReader

__all__ = ["InvalidInitError", "read_init_headers", "wants_debug"]


class InvalidInitError(Exception):
    """A payload of ``connection_init`` that cannot be used; the text is the reason that the client
    gets.
    """


def read_init_headers(
    payload: Mapping[str, Any], reader: HeaderReader, handshake: ForwardedHeaders
) -> ForwardedHeaders:
    """Return the headers to forward: the handshake's, with those of the payload in their place."""
    headers = payload.get("headers")
    if headers is not None and not isinstance(headers, dict):
        raise InvalidInitError("headers in the payload of connection_init must be an object")
    given: dict[str, str] = {}
    for name, value in (*payload.items(), *(headers or {}).items()):
        lower = name.lower()
        if not reader.forwards(lower):
            continue
        if not _is_header_value(value):
            raise InvalidInitError(f"{lower} in the payload of connection_init is no header value")
        given[lower] = value
    return (*(pair for pair in handshake if pair[0] not in given), *given.items())


def wants_debug(payload: Mapping[str, Any]) -> bool:
    """Tell whether the client asked for the plan and timings, as with the header ``x-router-debug``
    on HTTP.
    """
    headers = payload.get("headers")
    members = {**payload, **(headers if isinstance(headers, dict) else {})}
    return any(
        name.lower() == "x-router-debug" and value in {"1", "true"}
        for name, value in members.items()
        if isinstance(value, str)
    )


def _is_header_value(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return all(" " <= character <= "ÿ" and character != "\x7f" for character in value)
