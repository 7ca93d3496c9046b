"""The identity of the request being served, kept in context variables.

The middleware sets it at the edge of a process; log lines, masked errors and outgoing calls read
it. Values that come from outside are checked before they are kept, since they end up in logs and in
answers.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from uuid import uuid4

__all__ = [
    "bind_request",
    "current_request_id",
    "current_traceparent",
    "new_request_id",
    "propagation_headers",
]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
# version "ff" is forbidden, and so are all-zero trace and parent ids (W3C Trace Context, section
# 3.2.2)
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII
)

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


def new_request_id() -> str:
    """A fresh id for a request that came without one."""
    return uuid4().hex


def bind_request(request_id: str | None, traceparent: str | None) -> str:
    """Make this the current request and return the id it goes by.

    A missing or malformed request id is replaced by a new one, a malformed ``traceparent`` is left
    out.
    """
    accepted = (
        request_id
        if request_id is not None and _REQUEST_ID.fullmatch(request_id)
        else new_request_id()
    )
    _request_id.set(accepted)
    valid_trace = traceparent is not None and _TRACEPARENT.fullmatch(traceparent) is not None
    _traceparent.set(traceparent if valid_trace else None)
    return accepted


def current_request_id() -> str | None:
    """The id of the request being served, or None outside of one."""
    return _request_id.get()


def current_traceparent() -> str | None:
    """The W3C ``traceparent`` the request came with, if it came with a valid one."""
    return _traceparent.get()


def propagation_headers() -> dict[str, str]:
    """Headers that carry the current request on to another service."""
    headers: dict[str, str] = {}
    if (request_id := _request_id.get()) is not None:
        headers["x-request-id"] = request_id
    if (traceparent := _traceparent.get()) is not None:
        headers["traceparent"] = traceparent
    return headers
