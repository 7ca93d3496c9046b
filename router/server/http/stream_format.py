"""The forms in which results come one by one over HTTP, behind one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from router.server.http.event_stream import EventStream
from router.server.http.multipart_stream import MultipartStream
from router.server.negotiation import StreamType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.executor.context import ErrorDict

__all__ = ["FORMATS", "StreamFormat", "whole"]


class StreamFormat(Protocol):
    """How a stream is written: ``opening``, then results and heartbeats, perhaps a failure, then
    ``ending``.
    """

    @property
    def opening(self) -> bytes:
        """What comes at once, so that the client and those between know that it has begun."""
        ...

    @property
    def heartbeat(self) -> bytes:
        """What is written when nothing else was for a while."""
        ...

    @property
    def ending(self) -> bytes:
        """The last bytes."""
        ...

    def result(self, payload: bytes) -> bytes:
        """Return a GraphQL response, which is JSON already."""
        ...

    def failure(self, errors: Sequence[ErrorDict]) -> bytes:
        """Return why there are no more results; ``ending`` still follows."""
        ...


FORMATS: Final[Mapping[StreamType, StreamFormat]] = {
    StreamType.EVENT_STREAM: EventStream(),
    StreamType.MULTIPART: MultipartStream(),
}


def whole(kind: StreamType, payload: bytes) -> bytes:
    """Return a stream of one result, which is known already."""
    form = FORMATS[kind]
    return form.opening + form.result(payload) + form.ending
