from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from shared.auth import PublicKey, RemoteKeys, SigningKey, SigningKeysUnavailableError
from shared.auth.keys import jwks_document
from tests.support.subgraphs import served


class Issuer:
    """A service that publishes keys."""

    def __init__(self) -> None:
        self.keys: list[PublicKey] = [SigningKey.generate().public]
        self.requests = 0
        self.answer: Response | None = None

    async def __call__(self, _: Request) -> Response:
        self.requests += 1
        return self.answer or JSONResponse(jwks_document(self.keys))


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def url(issuer: Issuer) -> AsyncIterator[str]:
    async with served(Starlette(routes=[Route("/jwks.json", issuer.__call__)])) as address:
        yield f"http://{address}/jwks.json"


async def test_many_who_need_a_key_at_once_make_one_request(issuer: Issuer, url: str) -> None:
    keys = RemoteKeys(url)
    kid = issuer.keys[0].kid

    found = await asyncio.gather(*(keys.find(kid) for _ in range(20)))

    assert {key.kid for key in found if key} == {kid}
    assert issuer.requests == 1


async def test_a_new_key_is_found_by_a_new_request(issuer: Issuer, url: str) -> None:
    keys = RemoteKeys(url, min_interval=0)
    await keys.find(issuer.keys[0].kid)
    issuer.keys.append(SigningKey.generate().public)

    found = await keys.find(issuer.keys[1].kid)

    assert found is not None
    assert issuer.requests == 2


async def test_invented_key_ids_make_no_requests(issuer: Issuer, url: str) -> None:
    keys = RemoteKeys(url, min_interval=60)
    await keys.find(issuer.keys[0].kid)

    assert [await keys.find(f"invented {number}") for number in range(20)] == [None] * 20
    assert issuer.requests == 1


async def test_an_old_document_is_fetched_again_and_withdrawn_keys_forgotten(
    issuer: Issuer, url: str
) -> None:
    keys = RemoteKeys(url, max_age=0, min_interval=0)
    old = issuer.keys[0].kid
    assert await keys.find(old) is not None
    issuer.keys = [SigningKey.generate().public]

    assert await keys.find(old) is None


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>", status_code=200),
        Response("down", status_code=503),
        Response(b'{"keys": []}' + b" " * 100_000, status_code=200),
        RedirectResponse("http://127.0.0.1:1/elsewhere"),
    ],
)
async def test_known_keys_stay_in_use_while_the_issuer_fails(
    issuer: Issuer, url: str, answer: Response
) -> None:
    keys = RemoteKeys(url, max_age=0, min_interval=0)
    kid = issuer.keys[0].kid
    await keys.find(kid)
    issuer.answer = answer

    assert await keys.find(kid) is not None


async def test_without_any_keys_it_says_that_it_cannot_tell() -> None:
    keys = RemoteKeys("http://127.0.0.1:1/jwks.json")

    with pytest.raises(SigningKeysUnavailableError) as failed:
        await keys.find("any")

    assert failed.value.extensions == {"code": "INTERNAL_SERVER_ERROR", "retryable": True}
