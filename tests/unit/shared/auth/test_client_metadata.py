from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from shared.auth import Client


@pytest.mark.parametrize(
    ("given", "address", "key"),
    [
        ("203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("2001:DB8:0::1", "2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1%eth0", "2001:db8::ffff:1", "2001:db8::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", None, None),
        ("unknown", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_address_is_read_strictly(
    given: str | None, address: str | None, key: str | None
) -> None:
    headers = Headers({} if given is None else {"X-Client-Address": given})

    client = Client.of(headers)

    assert (client.address, client.limit_key) == (address, key)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
        ("x" * 300, "x" * 256),
        ("a\tb\x00c\x1b[2J  d", "a b c [2J d"),
        ("  ", None),
    ],
)
def test_the_user_agent_is_one_short_printable_line(given: str, expected: str | None) -> None:
    assert Client.of({"user-agent": given}).user_agent == expected
