"""What the server reads from headers."""

import pytest

from router.server.headers import HeaderReader
from router.server.settings import RouterSettings

READER = HeaderReader(RouterSettings(forward_headers=("Authorization", "accept-language")))


def test_only_allowed_headers_are_forwarded() -> None:
    headers = READER.read(
        [
            (b"authorization", b"Bearer t"),
            (b"cookie", b"session=1"),
            (b"accept-language", b"fi"),
            (b"x-forwarded-for", b"10.0.0.1"),
        ]
    )

    assert headers.forward == (("authorization", "Bearer t"), ("accept-language", "fi"))


def test_a_harmless_request_id_is_taken_over() -> None:
    assert READER.read([(b"x-request-id", b"abc-1.2:3")]).request_id == "abc-1.2:3"


@pytest.mark.parametrize("given", [b"", b"a b", b'x"y', b"new\nline", b"x" * 129, b"\xc3\xa4"])
def test_any_other_request_id_is_replaced(given: bytes) -> None:
    request_id = READER.read([(b"x-request-id", given)]).request_id

    assert len(request_id) == 32
    assert int(request_id, 16) >= 0


def test_every_request_without_an_id_gets_its_own() -> None:
    assert READER.read([]).request_id != READER.read([]).request_id


def test_the_first_of_repeated_decisive_headers_counts() -> None:
    headers = READER.read([(b"content-type", b"a/b"), (b"content-type", b"c/d")])

    assert headers.get(b"content-type") == b"a/b"


def test_an_empty_csrf_header_proves_nothing() -> None:
    assert not READER.read([(b"apollo-require-preflight", b"")]).preflighted
    assert READER.read([(b"apollo-require-preflight", b"1")]).preflighted
