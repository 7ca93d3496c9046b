"""Keys by HTTP: cached, rotated, and kept while the endpoint is down."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from router.server.access.issuers import Algorithm
from router.server.access.jwks import Jwks, KeysUnavailableError, read_file, read_url
from router.server.access.keys import read_jwks
from tests.support.token_issuers import JwksEndpoint, Key, jwks_endpoint

ALL = tuple(Algorithm)
ONE, TWO = Key("one"), Key("two")


def jwks(endpoint: JwksEndpoint, **options: float) -> Jwks:
    given = {"max_age": 300.0, "min_interval": 60.0, **options}
    return Jwks(read_url(endpoint.url, timeout=5.0), ALL, name="test", **given)


async def test_the_document_is_read_once() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        source = jwks(endpoint)

        found = [await source.find("one", "EdDSA") for _ in range(5)]

        assert all(key is not None and key.kid == "one" for key in found)
        assert endpoint.requests == 1


async def test_all_who_wait_share_one_request() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        source = jwks(endpoint)

        found = await asyncio.gather(*(source.find("one", "EdDSA") for _ in range(50)))

        assert None not in found
        assert endpoint.requests == 1


async def test_a_new_key_is_found_by_its_id() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        source = jwks(endpoint, min_interval=0.0)
        await source.find("one", "EdDSA")

        endpoint.keys = [TWO]

        assert await source.find("two", "EdDSA") is not None
        assert await source.find("one", "EdDSA") is None
        assert source.version == 1


async def test_a_flood_of_unknown_ids_makes_one_request_per_interval() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        source = jwks(endpoint)
        await source.find("one", "EdDSA")

        found = await asyncio.gather(*(source.find(f"k{n}", "EdDSA") for n in range(200)))

        assert set(found) == {None}
        assert endpoint.requests == 1


async def test_old_keys_stay_in_use_while_the_document_is_read_again() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        source = jwks(endpoint, max_age=0.0, min_interval=0.0)
        await source.find("one", "EdDSA")
        endpoint.hold.clear()

        found = await source.find("one", "EdDSA")

        assert found is not None
        endpoint.hold.set()
        await source.find("unknown", "EdDSA")  # waits for the request under way
        assert endpoint.requests == 2
        await source.aclose()


async def test_the_last_good_keys_are_kept_during_an_outage() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        source = jwks(endpoint, max_age=0.0, min_interval=0.0)
        await source.find("one", "EdDSA")

        endpoint.down = True
        assert await source.find("two", "EdDSA") is None

        assert await source.find("one", "EdDSA") is not None
        assert source.version == 0
        await source.aclose()


async def test_without_any_keys_it_says_so_and_recovers() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        endpoint.down = True
        source = jwks(endpoint, min_interval=0.0)
        with pytest.raises(KeysUnavailableError):
            await source.find("one", "EdDSA")

        endpoint.down = False

        assert await source.find("one", "EdDSA") is not None


async def test_a_request_under_way_is_given_up_at_the_end() -> None:
    async with jwks_endpoint(ONE) as endpoint:
        endpoint.hold.clear()
        source = jwks(endpoint)
        source.keep_fresh()

        await source.aclose()

        endpoint.hold.set()


async def test_a_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [ONE.jwk]}))
    source = Jwks(read_file(file), ALL, max_age=300.0, min_interval=0.0, name="test")

    assert await source.find("one", "EdDSA") is not None

    file.write_text("half a docum")
    assert await source.find("two", "EdDSA") is None
    assert await source.find("one", "EdDSA") is not None


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS256"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-384"},
        {"crv": "Ed448"},
        {"x": "AA"},
        {"x": 1},
        {"kid": 7},
    ],
    ids=str,
)
def test_keys_that_are_not_understood_are_passed_over(change: dict[str, Any]) -> None:
    document = json.dumps({"keys": [{**ONE.jwk, **change}, TWO.jwk, "nonsense"]}).encode()

    keys = read_jwks(document, ALL).keys

    assert [key.kid for key in keys] == ["two"]


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": 1}', b"\xff", b"<html>"])
def test_what_is_no_jwks_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - orjson's own is one too
        read_jwks(document, ALL)


def test_a_token_without_key_id_means_the_only_key_of_its_algorithm() -> None:
    rsa = Key("rsa", "RS256")
    keys = read_jwks(json.dumps({"keys": [ONE.jwk, rsa.jwk]}).encode(), ALL)
    several = read_jwks(json.dumps({"keys": [ONE.jwk, TWO.jwk]}).encode(), ALL)

    found = keys.find(None, "EdDSA")

    assert found is not None
    assert found.kid == "one"
    assert several.find(None, "EdDSA") is None
    assert keys.find("one", "RS256") is None
