"""Bytes and query strings into GraphQL requests."""

from urllib.parse import urlencode

import orjson
import pytest

from router.server.errors import RequestError, RequestErrorCode
from router.server.pipeline.read import GraphQLRequest, read_json, read_query_string


def test_reads_all_members() -> None:
    body = orjson.dumps(
        {
            "query": "{ a }",
            "operationName": "A",
            "variables": {"x": 1},
            "extensions": {"y": 2},
            "unknown": True,
        }
    )

    assert read_json(body) == GraphQLRequest("{ a }", "A", {"x": 1}, {"y": 2})


def test_null_counts_as_absent() -> None:
    body = b'{"query":"{a}","operationName":null,"variables":null,"extensions":null}'

    assert read_json(body) == GraphQLRequest("{a}")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", RequestErrorCode.BAD_REQUEST),
        (b"{", RequestErrorCode.BAD_REQUEST),
        (b"\xff", RequestErrorCode.BAD_REQUEST),
        (b"1", RequestErrorCode.BAD_REQUEST),
        (b"null", RequestErrorCode.BAD_REQUEST),
        (b"{}", RequestErrorCode.BAD_REQUEST),
        (b'{"query":null}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":""}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":1}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":{"a":1}}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","operationName":1}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","variables":[]}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","variables":"{}"}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","extensions":0}', RequestErrorCode.BAD_REQUEST),
        (b"[" * 5000, RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","variables":{"x":NaN}}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","variables":{"x":"\xff"}}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}"} {"query":"{b}"}', RequestErrorCode.BAD_REQUEST),
        (b'{"query":"{a}","documentId":"x"}', RequestErrorCode.BAD_REQUEST),
        (b'{"documentId":1}', RequestErrorCode.BAD_REQUEST),
        (b'{"extensions":{"persistedQuery":1}}', RequestErrorCode.BAD_REQUEST),
        (b'{"extensions":{"persistedQuery":{"version":1}}}', RequestErrorCode.BAD_REQUEST),
        (
            b'{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"00"}}}',
            RequestErrorCode.BAD_REQUEST,
        ),
    ],
)
def test_refuses_malformed_bodies(body: bytes, code: RequestErrorCode) -> None:
    with pytest.raises(RequestError) as caught:
        read_json(body)

    assert caught.value.code == code
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"query":"{a}","query":"{b}"}',
        b'{"query":"{a}","\\u0071uery":"{b}"}',
        b'{"query":"{a}","variables":{},"variables":{"x":1}}',
        b'{"query":"{a}","operationName":"A","operationName":"B"}',
        b'{"documentId":"a","documentId":"b"}',
        b'{"query":"{a}","query":"{b}","variables":{"x":' + b"[" * 1010 + b"]" * 1010 + b"}}",
    ],
)
def test_refuses_a_member_that_is_given_twice(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_json(body)

    assert caught.value.code == RequestErrorCode.BAD_REQUEST


def test_names_of_members_may_occur_in_variables() -> None:
    body = b'{"query":"{a}","variables":{"query":"\\u0071","variables":{"query":"{b}"}}}'

    request = read_json(body)

    assert request.query == "{a}"
    assert request.variables == {"query": "q", "variables": {"query": "{b}"}}


def test_a_byte_order_mark_is_ignored() -> None:
    assert read_json(b'\xef\xbb\xbf{"query":"{a}"}') == GraphQLRequest("{a}")


def test_reads_references_to_documents() -> None:
    by_id = read_json(b'{"documentId":"sha256:00","variables":null}')
    by_hash = read_json(b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}')

    assert (by_id.query, by_id.document_id, by_id.digest) == (None, "sha256:00", None)
    assert (by_hash.query, by_hash.document_id, by_hash.digest) == (None, None, "00")


def test_reads_a_query_string() -> None:
    query_string = urlencode(
        {
            "query": "query A($ö: Int) { a }",
            "operationName": "A",
            "variables": '{"ö":1}',
            "extensions": '{"y":2}',
        }
    )

    request = read_query_string(query_string.encode())

    assert request == GraphQLRequest("query A($ö: Int) { a }", "A", {"ö": 1}, {"y": 2})


def test_empty_parameters_count_as_absent() -> None:
    request = read_query_string(b"query=%7Ba%7D&operationName=&variables=&extensions=")

    assert request == GraphQLRequest("{a}")


@pytest.mark.parametrize(
    "query_string",
    [
        b"",
        b"query=",
        b"query=%ff",
        b"query=%7Ba%7D&variables=%7B",
        b"query=%7Ba%7D&variables=%5B%5D",
        b"query=%7Ba%7D&variables=1",
        b"query=%7Ba%7D" + b"&x=1" * 50,
        b"query=%7Ba%7D&query=%7Bb%7D",
    ],
)
def test_refuses_malformed_query_strings(query_string: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_query_string(query_string)

    assert caught.value.code == RequestErrorCode.BAD_REQUEST
