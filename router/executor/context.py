"""What goes into and comes out of one execution.

The server builds a :class:`RequestContext` per client request and hands it to the
:class:`~router.executor.Executor` with a program and variables; an :class:`ExecutionResult` comes
back, ready to be written as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.executor.outcome import FetchOutcome

__all__ = [
    "ErrorDict",
    "ExecutionResult",
    "Json",
    "JsonObject",
    "PathKey",
    "RequestContext",
    "ResponseHeaderSink",
]

Json: TypeAlias = (
    Any  # parsed JSON that a subgraph or client sent: nothing about its shape may be assumed
)
JsonObject: TypeAlias = dict[str, Json]
ErrorDict: TypeAlias = dict[str, Json]  # a GraphQL error as in the specification, section 7.1.2
PathKey: TypeAlias = str | int  # one step of a response path


class ResponseHeaderSink(Protocol):
    """Takes what comes with the answers of subgraphs, where the client is to get some of it, or
    later requests of the same operation.
    """

    @property
    def minds_queries(self) -> bool:
        """Whether it takes anything from the answers of queries."""
        ...

    def add(self, outcome: FetchOutcome, *, is_query: bool) -> Sequence[tuple[str, str]]:
        """Take the headers of one answer; returns those that later requests bring along."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """What one client request brings along for the subgraph requests made on its behalf.

    ``headers`` are forwarded to every subgraph; what may be forwarded is decided by the server.
    ``trace_headers`` are forwarded too, but do not tell requests apart (W3C trace context).
    ``deadline`` is in the event loop's time, in seconds. ``connection_params`` become part of the
    ``connection_init`` payload when a subscription is opened upstream. ``has_uploads`` says that
    there are files among the variables. ``response_headers`` is given each answer that came.
    ``subject``, ``claims`` and ``expires_at`` (Unix time, in seconds) are of the caller's verified
    token, if there is one.

    Contexts are equal when subgraphs and clients cannot tell the requests apart: then they may
    share an execution (see ``sharing``).
    """

    headers: tuple[tuple[str, str], ...] = ()
    trace_headers: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    request_id: str = field(default="", compare=False)
    deadline: float | None = field(default=None, compare=False)
    collect_extensions: bool = False
    connection_params: Mapping[str, Json] | None = field(default=None, hash=False)
    has_uploads: bool = False
    subject: str | None = None
    claims: Mapping[str, Json] | None = field(default=None, hash=False)
    expires_at: float | None = None
    response_headers: ResponseHeaderSink | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """A GraphQL response.

    ``data`` is in query order (None: null propagated to the root), ``errors`` in plan order.
    ``is_end``: no event, but why a subscription has ended other than by itself.
    ``json`` is ``data`` as JSON if it has been written already. Several requests may share one:
    never changed.
    """

    data: JsonObject | None
    errors: list[ErrorDict] = field(default_factory=list)
    extensions: JsonObject = field(default_factory=dict)
    is_end: bool = False
    json: orjson.Fragment | None = None

    def written(self) -> ExecutionResult:
        """Return the result with its JSON, for several requests that need it."""
        return replace(self, json=orjson.Fragment(orjson.dumps(self.data)))

    def to_dict(self) -> JsonObject:
        """Return the response as JSON has it, for orjson to write: ``errors`` first, empty members
        left out.
        """
        response: JsonObject = {}
        if self.errors:
            response["errors"] = self.errors
        response["data"] = self.data if self.json is None else self.json
        if self.extensions:
            response["extensions"] = self.extensions
        return response
