"""Which request a log line is about: its id and its trace, whoever logs."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

    from router.server.headers import RequestHeaders

__all__ = ["add_ids", "enter"]

_current: ContextVar[RequestHeaders | None] = ContextVar("router_request", default=None)
_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


def enter(headers: RequestHeaders) -> None:
    """Let what this task logs from here on be about a request."""
    _current.set(headers)


def add_ids(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add ``request_id`` and ``trace_id`` to a log line, as far as they are known.

    The trace is that of the current span, else what the client's ``traceparent`` says (W3C Trace
    Context).
    """
    headers = _current.get()
    if headers is not None:
        event.setdefault("request_id", headers.request_id)
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.setdefault("trace_id", trace.format_trace_id(span.trace_id))
        event.setdefault("span_id", trace.format_span_id(span.span_id))
    elif headers is not None:
        parent = _TRACEPARENT.fullmatch(headers.get(b"traceparent") or b"")
        if parent is not None:
            event.setdefault("trace_id", parent[1].decode("ascii"))
    return event
