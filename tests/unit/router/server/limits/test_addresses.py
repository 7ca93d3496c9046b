"""Which address a request comes from."""

import pytest

from router.server.limits.addresses import ClientAddresses, rate_key
from router.server.settings import RouterSettings

PROXIES = ["10.0.0.0/8", "fd00::/8"]


def _resolve(peer: str | None, *values: str, header: str = "x-forwarded-for") -> str | None:
    settings = RouterSettings(
        trusted_proxies=PROXIES,
        client_address_header=header,
    )
    scope = {
        "client": None if peer is None else (peer, 1234),
        "headers": [(header.encode(), value.encode("latin-1")) for value in values],
    }
    ClientAddresses(settings).resolve(scope)
    client = scope["client"]
    return None if client is None else str(client[0])


@pytest.mark.parametrize(
    ("peer", "values", "address"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9:443"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        # Not from a trusted proxy: not believed.
        ("203.0.113.1", ["6.6.6.6"], "203.0.113.1"),
        (None, ["6.6.6.6"], None),
        # Malformed: believed up to there.
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.999"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9\xff"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6," + "10.0.0.2," * 50 + "10.0.0.3"], "10.0.0.2"),
    ],
)
def test_only_trusted_proxies_are_believed(
    peer: str | None, values: list[str], address: str | None
) -> None:
    assert _resolve(peer, *values) == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ('proto=https; For="[2001:db8::1]:4711";by=10.0.0.1', "2001:db8::1"),
        ("for=6.6.6.6, for=203.0.113.9;proto=http, for=10.0.0.2", "203.0.113.9"),
        ("for=unknown", "10.0.0.1"),
        ("for=_hidden", "10.0.0.1"),
        ("by=6.6.6.6", "10.0.0.1"),
        ("xfor=6.6.6.6", "10.0.0.1"),
        ('for="', "10.0.0.1"),
    ],
)
def test_reads_the_standard_header_where_it_is_chosen(value: str, address: str) -> None:
    assert _resolve("10.0.0.1", value, header="forwarded") == address


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_networks_of_one_customer_count_together(address: str, key: str) -> None:
    assert rate_key({"client": (address, 1)}) == key


def test_without_an_address_all_count_together() -> None:
    assert rate_key({"client": None}) == "unknown"
