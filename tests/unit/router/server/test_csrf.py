"""Which requests another site's page could have made."""

import pytest

from router.server.csrf import require_preflight
from router.server.errors import RequestError, RequestErrorCode
from router.server.headers import HeaderReader
from router.server.settings import RouterSettings

READER = HeaderReader(RouterSettings())

Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"application/json")],
        [(b"apollo-require-preflight", b"true")],
        [(b"x-apollo-operation-name", b"Me")],
        [(b"sec-fetch-site", b"same-origin")],
        [(b"sec-fetch-site", b"none")],
    ],
)
def test_lets_through_what_a_foreign_page_cannot_send_silently(headers: Headers) -> None:
    require_preflight(READER.read(headers))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"text/plain; charset=application/json")],
        [(b"content-type", b"Multipart/Form-Data; boundary=x")],
        [(b"content-type", b"application/x-www-form-urlencoded")],
        [(b"content-type", b"")],
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-site")],
        [(b"accept", b"application/json")],
    ],
)
def test_refuses_what_a_foreign_page_can_send(headers: Headers) -> None:
    with pytest.raises(RequestError) as caught:
        require_preflight(READER.read(headers))

    assert caught.value.code == RequestErrorCode.CSRF_ERROR
    assert caught.value.status == 400
