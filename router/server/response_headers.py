"""Headers of subgraphs' answers that clients get: ``ROUTER_RESPONSE_HEADERS``, and those that are
carried besides: ``ROUTER_CARRIED_HEADERS``.

Each value is a header of its own: cookies can never be joined (RFC 6265, section 3). Only
``cache-control`` is one value, the strictest of all answers, and ``no-store`` unless every answer
may be kept and none failed. One request has one collection, whatever number of operations it has.

Carried headers are taken from the answers to mutations. Later requests of the same operation bring
them to every subgraph, and the client gets them as headers and in ``extensions.headers``, joined by
commas, to bring them with its next requests; on a WebSocket the router does that for it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.types import Message, Receive, Scope, Send

    from router.executor.outcome import FetchOutcome
    from router.server.headers import RequestHeaders

__all__ = ["CollectedHeaders", "collected_headers", "with_response_headers"]

_NONE: Final[tuple[tuple[str, str], ...]] = ()

_CACHE_CONTROL: Final = "cache-control"
_current: ContextVar[CollectedHeaders | None] = ContextVar("router_response_headers", default=None)


def collected_headers() -> CollectedHeaders | None:
    """Return where this request's response headers are collected, None if they are not."""
    return _current.get()


class CollectedHeaders:
    """The allowed headers of all answers of one request, in the order of the answers."""

    def __init__(
        self, allowed: frozenset[str] = frozenset(), carried: frozenset[str] = frozenset()
    ) -> None:
        self._allowed = allowed - carried
        self._carries = carried
        self._headers: dict[tuple[str, str], None] = {}
        self._carried: dict[tuple[str, str], None] = {}
        self._cache = _Cache()

    @property
    def minds_queries(self) -> bool:
        """Whether the answers of queries have anything that is taken."""
        return bool(self._allowed)

    def add(self, outcome: FetchOutcome, *, is_query: bool) -> Sequence[tuple[str, str]]:
        """Take the headers of one answer; returns those that later requests bring along."""
        for name, value in outcome.headers:
            if name in self._allowed and name != _CACHE_CONTROL:
                self._headers[name, value] = None
        if _CACHE_CONTROL in self._allowed:
            self._cache.add(outcome, is_query=is_query)
        if is_query or not self._carries:
            return _NONE
        fresh = [
            header
            for header in outcome.headers
            if header[0] in self._carries and header not in self._carried
        ]
        self._carried.update(dict.fromkeys(fresh))
        return fresh

    def carried(self) -> dict[str, str]:
        """Return the carried headers by name, of several values the list."""
        joined: dict[str, str] = {}
        for name, value in self._carried:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined

    def encoded(self) -> list[tuple[bytes, bytes]]:
        """Return the headers for the client."""
        chosen = (*self._headers, *self._carried)
        found = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in chosen]
        if _CACHE_CONTROL in self._allowed:
            found.append((b"cache-control", self._cache.value().encode("ascii")))
        return found


class _Cache:
    """The strictest ``cache-control`` (RFC 9111, section 5.2.2)."""

    def __init__(self) -> None:
        self._age: int | None = None
        self._may_store = True
        self._is_private = False

    def add(self, outcome: FetchOutcome, *, is_query: bool) -> None:
        values = ",".join(value for name, value in outcome.headers if name == _CACHE_CONTROL)
        directives = {part.strip().lower() for part in values.split(",")}
        ages = [
            int(part[8:]) for part in directives if part[:8] == "max-age=" and part[8:].isdecimal()
        ]
        if (
            not ages
            or not is_query
            or not outcome.is_clean
            or directives & {"no-store", "no-cache"}
        ):
            self._may_store = False
            return
        self._age = min(ages) if self._age is None else min(self._age, *ages)
        self._is_private |= "private" in directives

    def value(self) -> str:
        if not self._may_store or self._age is None:
            return "no-store"
        return f"max-age={self._age}, {'private' if self._is_private else 'public'}"


async def with_response_headers(
    collected: CollectedHeaders,
    endpoint: Callable[[Scope, Receive, Send, RequestHeaders], Awaitable[None]],
    scope: Scope,
    receive: Receive,
    send: Send,
    headers: RequestHeaders,
) -> None:
    """Answer a request, with what is collected of the subgraphs' answers."""
    token = _current.set(collected)

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = collected.encoded()
            replaced = {b"cache-control"} & {name for name, _ in more}
            kept = [header for header in message["headers"] if header[0] not in replaced]
            message = {**message, "headers": [*kept, *more]}
        await send(message)

    try:
        await endpoint(scope, receive, send_with_headers, headers)
    finally:
        _current.reset(token)
