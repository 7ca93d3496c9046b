"""The messages of graphql-transport-ws."""

import orjson
import pytest

from router.server.pipeline.read import GraphQLRequest
from router.server.websocket.messages import (
    ClientMessage,
    Complete,
    ConnectionInit,
    InvalidMessageError,
    Ping,
    Pong,
    Subscribe,
    complete_message,
    error_message,
    next_message,
    parse_message,
    pong_message,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"connection_init"}', ConnectionInit({})),
        ('{"type":"connection_init","payload":null}', ConnectionInit({})),
        ('{"type":"connection_init","payload":{"a":1}}', ConnectionInit({"a": 1})),
        ('{"type":"ping"}', Ping(None)),
        ('{"type":"ping","payload":{"n":1}}', Ping({"n": 1})),
        ('{"type":"pong","payload":{}}', Pong()),
        ('{"type":"complete","id":"1"}', Complete("1")),
        (
            '{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":{"x":1}}}',
            Subscribe("1", GraphQLRequest("{a}", None, {"x": 1})),
        ),
    ],
)
def test_reads_what_a_client_may_send(text: str, expected: ClientMessage) -> None:
    assert parse_message(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "1",
        "[]",
        "null",
        "{}",
        '{"type":1}',
        '{"type":"unknown"}',
        '{"type":"connection_ack"}',
        '{"type":"next","id":"1","payload":{}}',
        '{"type":"connection_init","payload":[]}',
        '{"type":"ping","payload":"x"}',
        '{"type":"pong","payload":1}',
        '{"type":"complete"}',
        '{"type":"complete","id":""}',
        '{"type":"complete","id":1}',
        '{"type":"subscribe","payload":{"query":"{a}"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{a}"}}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":"1","payload":{}}',
        '{"type":"subscribe","id":"1","payload":{"query":1}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":1}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{a}","extensions":"x"}}',
    ],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(InvalidMessageError):
        parse_message(text)


def test_writes_messages() -> None:
    assert orjson.loads(next_message("1", '{"data":null}')) == {
        "id": "1",
        "type": "next",
        "payload": {"data": None},
    }
    assert orjson.loads(error_message("1", [{"message": "m"}])) == {
        "id": "1",
        "type": "error",
        "payload": [{"message": "m"}],
    }
    assert orjson.loads(complete_message("1")) == {"id": "1", "type": "complete"}
    assert orjson.loads(pong_message(None)) == {"type": "pong"}
    assert orjson.loads(pong_message({"n": 1})) == {"type": "pong", "payload": {"n": 1}}
