"""Content negotiation of GraphQL over HTTP: which media type a request has and which its answer
gets.

Headers come from clients in few variants, so both functions remember their last answers.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ResponseType",
    "StreamType",
    "accepts_parts",
    "is_json",
    "negotiate",
    "negotiate_stream",
    "prefers_html",
    "quality_of",
]


class ResponseType(Enum):
    """The two media types of GraphQL responses; the value is the ``content-type`` header.

    They differ in their status rules: see :meth:`router.server.errors.RequestError`'s
    ``well_formed``.
    """

    GRAPHQL_RESPONSE = b"application/graphql-response+json; charset=utf-8"
    JSON = b"application/json; charset=utf-8"


class StreamType(Enum):
    """What results can come in one by one; the value is the ``content-type`` header."""

    EVENT_STREAM = b"text/event-stream; charset=utf-8"
    MULTIPART = b'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'

    @property
    def protocol(self) -> str:
        """The name of the protocol, for metrics."""
        return "sse" if self is StreamType.EVENT_STREAM else "multipart"


class _Range(NamedTuple):
    type: str
    subtype: str
    quality: float
    parameters: tuple[str, ...]


class _Match(NamedTuple):
    """How much a client wants a media type: compared by quality first, then by how exactly it was
    named.
    """

    quality: float
    precision: int


_ABSENT = _Match(0.0, -1)


@lru_cache(maxsize=256)
def negotiate(accept: bytes | None) -> ResponseType | None:
    """Return the response type for an ``Accept`` header, None when neither is acceptable.

    A client that does not care (no header, ``*/*``) gets ``application/json``, which every client
    understands; one that names both with equal weight gets ``application/graphql-response+json``.
    """
    if accept is None or not accept.strip():
        return ResponseType.JSON
    ranges = _parse_accept(accept)
    response = _match(ranges, "application", "graphql-response+json")
    json = _match(ranges, "application", "json")
    if not response.quality and not json.quality:
        return None
    if response == json:
        exact = response.precision == 2
        return ResponseType.GRAPHQL_RESPONSE if exact else ResponseType.JSON
    return ResponseType.GRAPHQL_RESPONSE if response > json else ResponseType.JSON


@lru_cache(maxsize=256)
def negotiate_stream(accept: bytes | None) -> StreamType | None:
    """Return the stream for an ``Accept`` header, None for a client that asks for none.

    Streams are only for who names them: ``*/*`` is any client. Of several the one that is wanted
    most, or comes first, is taken.
    """
    best, quality = None, 0.0
    for candidate in _parse_accept(accept or b""):
        kind = _stream_type(candidate)
        if kind is not None and candidate.quality > quality:
            best, quality = kind, candidate.quality
    return best


@lru_cache(maxsize=256)
def accepts_parts(accept: bytes | None) -> bool:
    """Tell whether a client takes a deferred answer in parts: it names ``multipart/mixed``, by
    itself or with ``deferSpec=20220824``. Other parameters ask for forms that are not spoken here.
    """
    return any(
        (candidate.type, candidate.subtype) == ("multipart", "mixed")
        and candidate.quality > 0
        and _is_deferring(candidate.parameters)
        for candidate in _parse_accept(accept or b"")
    )


def _is_deferring(parameters: Sequence[str]) -> bool:
    if "20220824" in _values_of("deferspec", parameters):
        return True
    names = {parameter.partition("=")[0].strip() for parameter in parameters}
    return not names - {"q", "boundary"}


@lru_cache(maxsize=64)
def prefers_html(accept: bytes | None) -> bool:
    """Tell whether a browser's address bar is asking: HTML is named, and wanted more than any
    GraphQL response.
    """
    if accept is None:
        return False
    ranges = _parse_accept(accept)
    html = _match(ranges, "text", "html")
    if html.precision < 2 or not html.quality:
        return False
    response = _match(ranges, "application", "graphql-response+json")
    json = _match(ranges, "application", "json")
    return html > max(response, json)


@lru_cache(maxsize=64)
def is_json(content_type: bytes) -> bool:
    """Tell whether a request body is JSON in UTF-8: ``application/json`` with no charset or this
    one.
    """
    media_type, *parameters = content_type.decode("latin-1").split(";")
    if media_type.strip().lower() != "application/json":
        return False
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower() in {"utf-8", "utf8"}
    return True


def _parse_accept(accept: bytes) -> list[_Range]:
    ranges: list[_Range] = []
    for part in accept.decode("latin-1").lower().split(","):
        media_type, *parameters = part.split(";")
        type_, slash, subtype = media_type.strip().partition("/")
        if slash:
            ranges.append(_Range(type_, subtype, quality_of(parameters), tuple(parameters)))
    return ranges


def _stream_type(candidate: _Range) -> StreamType | None:
    media_type = (candidate.type, candidate.subtype)
    if media_type == ("text", "event-stream"):
        return StreamType.EVENT_STREAM
    if media_type == ("multipart", "mixed") and "1.0" in _values_of(
        "subscriptionspec", candidate.parameters
    ):
        return StreamType.MULTIPART
    return None


def _values_of(name: str, parameters: Sequence[str]) -> list[str]:
    pairs = [parameter.partition("=") for parameter in parameters]
    return [value.strip().strip('"') for found, _, value in pairs if found.strip() == name]


def quality_of(parameters: Sequence[str]) -> float:
    """Return the weight among a header value's parameters (RFC 9110, section 12.4.2), 0 for one
    that is none.
    """
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0.0 <= quality <= 1.0 else 0.0
    return 1.0


def _match(ranges: list[_Range], type_: str, subtype: str) -> _Match:
    """Return the quality of the most exact range that covers a media type (RFC 9110, section
    12.5.1).
    """
    best = _ABSENT
    for candidate in ranges:
        if candidate.type == type_ and candidate.subtype == subtype:
            precision = 2
        elif candidate.type == type_ and candidate.subtype == "*":
            precision = 1
        elif candidate.type == "*" and candidate.subtype == "*":
            precision = 0
        else:
            continue
        if precision > best.precision:
            best = _Match(candidate.quality, precision)
    return best
