"""Headers in connection_init."""

from typing import Any

import pytest

from router.server.headers import HeaderReader
from router.server.settings import RouterSettings
from router.server.websocket.init_payload import InvalidInitError, read_init_headers, wants_debug

READER = HeaderReader(RouterSettings(forward_headers=("authorization", "accept-language")))


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer t"},
        {"Authorization": "Bearer t"},
        {"headers": {"AUTHORIZATION": "Bearer t"}},
        {"authorization": "Bearer t", "headers": {"authorization": "Bearer t", "cookie": "x"}},
        {"authorization": "Bearer t", "x-other": {"not": "forwarded"}},
    ],
)
def test_takes_the_token_wherever_clients_put_it(payload: dict[str, Any]) -> None:
    assert read_init_headers(payload, READER, ()) == (("authorization", "Bearer t"),)


def test_the_payload_replaces_the_handshakes_headers() -> None:
    handshake = (("authorization", "old"), ("accept-language", "fi"))

    headers = read_init_headers({"authorization": "new"}, READER, handshake)

    assert headers == (("accept-language", "fi"), ("authorization", "new"))


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": 1},
        {"authorization": None},
        {"authorization": "a\r\nx-injected: 1"},
        {"authorization": "snow \u2603"},
        {"headers": []},
        {"headers": {"authorization": "\x00"}},
    ],
)
def test_refuses_what_is_no_header_value(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidInitError):
        read_init_headers(payload, READER, ())


def test_debugging_is_asked_for_as_with_a_header() -> None:
    assert wants_debug({"headers": {"X-Router-Debug": "1"}})
    assert wants_debug({"x-router-debug": "1"})
    assert not wants_debug({"headers": {"x-router-debug": "0"}})
    assert not wants_debug({})
