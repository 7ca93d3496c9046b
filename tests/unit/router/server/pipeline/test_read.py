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
        (b'[{"query":"{a}"}]', RequestErrorCode.BATCHING_NOT_ENABLED),
        (
            b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}',
            RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
        ),
    ],
)
def test_refuses_malformed_bodies(body: bytes, code: RequestErrorCode) -> None:
    with pytest.raises(RequestError) as caught:
        read_json(body)

    assert caught.value.code == code
    assert caught.value.status == 400


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
    ],
)
def test_refuses_malformed_query_strings(query_string: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_query_string(query_string)

    assert caught.value.code == RequestErrorCode.BAD_REQUEST
