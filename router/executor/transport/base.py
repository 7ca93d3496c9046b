"""The contract between the executor and whatever carries its requests to a subgraph.

The executor hands over finished bytes and gets bytes back; it alone reads GraphQL.
Implementations: ``http_pool`` for plain HTTP, ``https`` for TLS, ``asgi`` for subgraphs in the
same process, ``network`` to join HTTP with WebSocket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from router.executor.errors import ExecutionErrorCode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from router.executor.context import Json, JsonObject
    from router.executor.uploads import FilePart

__all__ = [
    "RESPONSE_CONTENT_TYPES",
    "AnswerTooLargeError",
    "ConnectionLostError",
    "NotReachedError",
    "SubgraphRequest",
    "SubgraphResponse",
    "SubgraphTransport",
    "SubscriptionError",
    "SubscriptionFailure",
    "TooManyWaitingError",
    "TransportError",
    "UnreadableAnswerError",
]

RESPONSE_CONTENT_TYPES = "application/graphql-response+json, application/json"


class TransportError(Exception):
    """No usable HTTP response came. The text has no addresses: clients read it."""

    code: ClassVar[ExecutionErrorCode] = ExecutionErrorCode.SUBREQUEST_HTTP_ERROR


class NotReachedError(TransportError):
    """Not one byte of a response came: refused, unreachable, closed before. A query may be sent
    again.
    """


class ConnectionLostError(TransportError):
    """The connection ended in the middle of a response."""


class TooManyWaitingError(TransportError):
    """All connections are in use, and as many requests as may wait for one do."""

    code = ExecutionErrorCode.SUBGRAPH_OVERLOADED


class AnswerTooLargeError(TransportError):
    """The answer is larger than the settings allow."""

    code = ExecutionErrorCode.SUBGRAPH_RESPONSE_TOO_LARGE

    def __init__(self) -> None:
        super().__init__("The subgraph's answer is too large.")


class UnreadableAnswerError(TransportError):
    """Something came, but no HTTP response, or one in an encoding nobody asked for."""

    code = ExecutionErrorCode.SUBREQUEST_MALFORMED_RESPONSE


class SubscriptionFailure(StrEnum):
    """Why a subscription's source ended other than by ``complete``."""

    REFUSED = "refused"  # the connection was not accepted, or was ended on purpose
    LOST = "lost"  # the connection ended
    OVERFLOW = "overflow"  # events were not taken fast enough
    REJECTED = "rejected"  # an ``error`` message for this operation: see ``errors``


class SubscriptionError(Exception):
    """A subscription's source failed.

    ``errors`` are the subgraph's own GraphQL errors, untrusted, if it sent any. ``retryable``:
    subscribing again may succeed; not after an answer that would be the same.
    """

    def __init__(
        self,
        failure: SubscriptionFailure,
        message: str,
        errors: list[Json] | None = None,
        *,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.errors = errors or []
        self.retryable = retryable


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphRequest:
    """One GraphQL operation for one subgraph.

    ``body`` is the JSON object with ``query``, ``operationName`` and ``variables``, for a
    WebSocket also the payload of ``subscribe``; it has null where ``files`` belong, which are sent
    along as ``multipart/form-data`` (see ``multipart``). ``connection_init`` is the payload that
    opens a WebSocket connection, and ``announce`` asks for a None as soon as the subscription has
    been sent (subscriptions only).
    """

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    connection_init: Mapping[str, Json] = field(default_factory=dict)
    announce: bool = False
    repeatable: bool = False  # sending it twice does no harm: a query
    files: tuple[FilePart, ...] = ()

    def with_header(self, name: str, value: str) -> SubgraphRequest:
        """Return the request with one more header; much faster than ``dataclasses.replace``."""
        return SubgraphRequest(
            body=self.body,
            headers=(*self.headers, (name, value)),
            connection_init=self.connection_init,
            repeatable=self.repeatable,
            files=self.files,
        )


@dataclass(frozen=True, slots=True)
class SubgraphResponse:
    """An HTTP response as it came. ``headers`` have lower-case names, in the order they came."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class SubgraphTransport(Protocol):
    """Carries requests to one subgraph. One instance serves any number of concurrent requests."""

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send a query or mutation and return the answer, whatever its status.

        Time limits are the caller's: it cancels. Raises TransportError when there is no answer.
        """
        ...

    def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject | None, None]:
        """Yield the payloads (GraphQL responses) of a subscription until it completes.

        With ``announce``, None comes first, when the subscription is under way. Closing the
        generator ends the subscription upstream. Raises SubscriptionError when it cannot be opened
        or is cut off.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; running requests fail."""
        ...
