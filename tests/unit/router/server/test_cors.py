"""Which pages may ask the router, and what browsers are told about it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from router.server.settings import RouterSettings
from tests.support.router_server import ThingsSubgraph, make_app
from tests.support.token_issuers import issuer_setting

SHOP, EVIL = "https://shop.example", "https://shop.example.evil.org"
GREETING = {"query": "{ greeting }"}


def client_of(**settings: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(make_app(ThingsSubgraph(), **settings))
    return httpx.AsyncClient(transport=transport, base_url="http://router")


async def preflight(client: httpx.AsyncClient, origin: str, **headers: str) -> httpx.Response:
    return await client.options(
        "/graphql",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


async def ask(client: httpx.AsyncClient, origin: str) -> httpx.Headers:
    response = await client.post("/graphql", json=GREETING, headers={"origin": origin})
    assert response.status_code == 200
    return response.headers


async def test_without_origins_no_page_is_told_anything() -> None:
    async with client_of() as client:
        headers = await ask(client, SHOP)
        asked = await preflight(client, SHOP)

    assert not [name for name in (*headers, *asked.headers) if name.startswith("access-control")]


async def test_a_named_origin_is_answered_by_its_name() -> None:
    async with client_of(cors_origins=[SHOP], cors_credentials=True) as client:
        asked = await preflight(client, SHOP)
        headers = await ask(client, SHOP)

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert asked.headers["access-control-max-age"] == "7200"
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["access-control-expose-headers"] == "x-request-id"
    assert "Origin" in headers["vary"]


@pytest.mark.parametrize("origin", [EVIL, "null", "http://shop.example", SHOP.upper(), ""])
async def test_another_origin_is_not(origin: str) -> None:
    async with client_of(cors_origins=[SHOP]) as client:
        asked = await preflight(client, origin)
        headers = await ask(client, origin)

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in headers
    assert "Origin" in headers["vary"]  # a cache must not give this answer to the shop


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example.org", True),
        ("https://b.example.org", True),
        ("https://a.example.org.evil.com", False),
        ("https://evil.com/https://a.example.org", False),
        ("https://a-example.org", False),
    ],
)
async def test_a_pattern_is_of_the_whole_origin(origin: str, allowed: bool) -> None:
    async with client_of(cors_origin_regex=r"https://[a-z]+\.example\.org") as client:
        headers = await ask(client, origin)

    assert (headers.get("access-control-allow-origin") == origin) is allowed


async def test_the_null_origin_has_to_be_named() -> None:
    async with client_of(cors_origins=["null"]) as client:
        assert (await ask(client, "null"))["access-control-allow-origin"] == "null"


async def test_any_origin_is_answered_with_a_star() -> None:
    async with client_of(cors_origins=["*"]) as client:
        headers = await ask(client, EVIL)

    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


async def test_only_known_headers_may_be_sent() -> None:
    async with client_of(cors_origins=[SHOP], cors_headers=["x-tenant"]) as client:
        good = await preflight(
            client, SHOP, access_control_request_headers="authorization, x-tenant, x-request-id"
        )
        bad = await preflight(client, SHOP, access_control_request_headers="x-evil")

    assert good.status_code == 200
    assert bad.status_code == 400


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_private_network_has_to_be_opened(allowed: bool) -> None:
    async with client_of(cors_origins=[SHOP], cors_private_network=allowed) as client:
        asked = await preflight(client, SHOP, access_control_request_private_network="true")

    assert (asked.headers.get("access-control-allow-private-network") == "true") is allowed
    assert asked.status_code == (200 if allowed else 400)


async def test_what_pages_may_read_and_how_long_can_be_set() -> None:
    settings = {"cors_expose_headers": ["x-a", "x-b"], "cors_max_age": 5}
    async with client_of(cors_origins=[SHOP], **settings) as client:
        headers = await ask(client, SHOP)
        asked = await preflight(client, SHOP)

    assert headers["access-control-expose-headers"] == "x-a, x-b"
    assert asked.headers["access-control-max-age"] == "5"


async def test_a_refusal_can_be_read_too() -> None:
    settings = {"jwt_issuers": [issuer_setting()], "cors_origins": [SHOP]}
    async with client_of(**settings) as client:
        response = await client.post(
            "/graphql", json=GREETING, headers={"origin": SHOP, "authorization": "Bearer x"}
        )

    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    "settings",
    [
        {"cors_origins": ["*"], "cors_credentials": True},
        {"cors_origins": ["null"], "cors_credentials": True},
        {"cors_origins": ["*"], "jwt_cookie": "session"},
        {"jwt_cookie": "session", "csrf_prevention": False},
        {"jwt_cookie": "session", "websocket_check_origin": False},
        {"cors_origin_regex": "("},
    ],
    ids=str,
)
def test_settings_that_would_let_any_page_act_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RouterSettings(**settings)
