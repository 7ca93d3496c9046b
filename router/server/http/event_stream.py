"""Server-Sent Events as the GraphQL over SSE protocol has them, in its mode of distinct connections
(https://github.com/enisdenjo/graphql-sse, PROTOCOL.md): one operation is one response.

Every result is an event ``next`` with a GraphQL response as its data; ``complete`` is the last
event, which clients of ``EventSource`` close at. JSON has no line breaks, so an event is one line
of data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.executor.context import ErrorDict

__all__ = ["EventStream"]

_COMMENT = b":\n\n"


class EventStream:
    """Writes results as Server-Sent Events (see ``stream_format.StreamFormat``)."""

    opening = _COMMENT
    heartbeat = _COMMENT
    ending = b"event: complete\ndata:\n\n"

    def result(self, payload: bytes) -> bytes:
        return b"event: next\ndata: " + payload + b"\n\n"

    def failure(self, errors: Sequence[ErrorDict]) -> bytes:
        return self.result(orjson.dumps({"errors": errors}))
