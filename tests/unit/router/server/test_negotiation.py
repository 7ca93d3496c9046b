"""Content negotiation of GraphQL over HTTP."""

import pytest

from router.server.negotiation import (
    ResponseType,
    StreamType,
    accepts_parts,
    is_json,
    negotiate,
    negotiate_stream,
    prefers_html,
)

RESPONSE, JSON = ResponseType.GRAPHQL_RESPONSE, ResponseType.JSON


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        (b"", JSON),
        (b"*/*", JSON),
        (b"application/*", JSON),
        (b"application/json", JSON),
        (b"application/json; charset=utf-8", JSON),
        (b"application/graphql-response+json", RESPONSE),
        (b"APPLICATION/GRAPHQL-RESPONSE+JSON", RESPONSE),
        (b"application/graphql-response+json, application/json;q=0.9", RESPONSE),
        (b"application/json, application/graphql-response+json", RESPONSE),
        (b"application/graphql-response+json;q=0.5, application/json", JSON),
        (b"application/json, text/plain, */*", JSON),
        (b"application/graphql-response+json;q=0, */*", JSON),
        (b"application/json;q=0, */*", RESPONSE),
        (b"text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        (b"text/html", None),
        (b"application/json;q=0", None),
        (b"application/json;q=nonsense", None),
        (b"nonsense", None),
    ],
)
def test_chooses_the_response_type(accept: bytes | None, expected: ResponseType | None) -> None:
    assert negotiate(accept) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        (b"text/html", True),
        (b"application/json, text/html;q=0.5", False),
        (b"text/html, application/json", False),
        (b"text/html;q=0", False),
        (b"*/*", False),
        (b"application/json", False),
        (None, False),
    ],
)
def test_knows_a_browser_by_what_it_wants_most(accept: bytes | None, expected: bool) -> None:
    assert prefers_html(accept) is expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"application/json", True),
        (b"Application/JSON", True),
        (b"application/json; charset=utf-8", True),
        (b'application/json;charset="UTF-8"', True),
        (b"application/json; charset=latin-1", False),
        (b"application/graphql", False),
        (b"text/plain", False),
        (b"application/jsonp", False),
        (b"", False),
    ],
)
def test_takes_json_in_utf8_only(content_type: bytes, expected: bool) -> None:
    assert is_json(content_type) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, None),
        (b"*/*", None),
        (b"text/*", None),
        (b"application/json", None),
        (b"text/event-stream", StreamType.EVENT_STREAM),
        (b"Text/Event-Stream; charset=utf-8", StreamType.EVENT_STREAM),
        (b"text/event-stream;q=0", None),
        (b"multipart/mixed", None),
        (b"multipart/mixed;deferSpec=20220824, application/json", None),
        (b"multipart/mixed;subscriptionSpec=2.0", None),
        (b"multipart/mixed;boundary=graphql;subscriptionSpec=1.0", StreamType.MULTIPART),
        (b'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"', StreamType.MULTIPART),
        (b"text/event-stream, multipart/mixed;subscriptionSpec=1.0", StreamType.EVENT_STREAM),
        (b"text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0", StreamType.MULTIPART),
    ],
)
def test_streams_are_for_clients_that_name_them(
    accept: bytes | None, expected: StreamType | None
) -> None:
    assert negotiate_stream(accept) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"multipart/mixed;deferSpec=20220824", True),
        (b'Multipart/Mixed; boundary="-"; deferspec="20220824", application/json', True),
        (b"application/json, multipart/mixed", True),
        (b"multipart/mixed;q=0", False),
        (b"multipart/mixed;q=0;deferSpec=20220824", False),
        (b"multipart/mixed;deferSpec=20991231", False),
        (b"multipart/mixed;subscriptionSpec=1.0", False),
        (b"multipart/*", False),
        (b"*/*", False),
        (b"multipart/mixed;;;", False),
        (None, False),
    ],
)
def test_tells_who_takes_an_answer_in_parts(accept: bytes | None, expected: bool) -> None:
    assert accepts_parts(accept) is expected
