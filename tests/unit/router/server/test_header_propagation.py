"""Header rules on the way to subgraphs, and the allow-list on the way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from typing_extensions import override

from router.executor.transport.base import SubgraphRequest, SubgraphResponse
from router.server.settings import RouterSettings
from tests.support.router_server import ThingsSubgraph, make_app

OWN = {"x-request-id", "x-request-timeout-ms"}


class Things(ThingsSubgraph):
    """Answers with headers of its own."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        super().__init__()
        self.headers = headers

    @override
    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        response = await super().execute(request)
        return SubgraphResponse(response.status, response.body, self.headers)


@asynccontextmanager
async def routed(things: ThingsSubgraph, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(things, **settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client


async def sent(rules: list[dict[str, Any]], headers: dict[str, str]) -> list[tuple[str, str]]:
    """The headers that the subgraph gets of a request."""
    things = ThingsSubgraph()
    async with routed(things, header_rules=rules) as client:
        await client.post("/graphql", json={"query": "{ greeting }"}, headers=headers)
    return [header for header in things.requests[0].headers if header[0] not in OWN]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"propagate": "X-Tenant"}, [("x-tenant", "a")]),
        ({"propagate": "x-tenant", "rename": "x-org"}, [("x-org", "a")]),
        ({"propagate": "x-other", "default": "none"}, [("x-other", "none")]),
        ({"propagate": "x-other", "rename": "x-o", "default": "none"}, [("x-o", "none")]),
        ({"propagate": "x-other"}, []),
        ({"propagate": "x-ten"}, []),
        ({"propagate_matching": "X-(tenant|app-.*)"}, [("x-tenant", "a"), ("x-app-b", "c")]),
        ({"propagate_matching": ".*"}, [("x-tenant", "a"), ("x-app-b", "c")]),
        ({"insert": "x-client", "value": "router"}, [("x-client", "router")]),
        ({"insert": "authorization", "value": "x"}, [("authorization", "x")]),
        ({"remove": "authorization"}, None),
        ({"remove_matching": "a.*"}, None),
        ({"propagate": "x-tenant", "subgraphs": ["things"]}, [("x-tenant", "a")]),
        ({"propagate": "x-tenant", "subgraphs": ["others"]}, []),
    ],
    ids=str,
)
async def test_rules_decide_what_a_subgraph_gets(
    rule: dict[str, Any], expected: list[tuple[str, str]] | None
) -> None:
    given = {
        "authorization": "t",
        "x-tenant": "a",
        "x-app-b": "c",
        "router-authorization": "guess",
    }
    rules = [rule, {"remove_matching": "accept.*|connection|content-.*|host|user-agent"}]

    got = await sent(rules, given)

    if expected is None:
        assert got == []
    elif ("authorization", "x") in expected:
        assert got == expected
    else:
        assert got == [("authorization", "t"), *expected]


async def test_without_rules_only_the_forwarded_headers_go() -> None:
    assert await sent([], {"authorization": "t", "x-tenant": "a"}) == [("authorization", "t")]


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"propagate": "a", "insert": "b", "value": "c"},
        {"insert": "a"},
        {"propagate": "a", "value": "b"},
        {"propagate_matching": "a", "rename": "b"},
        {"propagate_matching": "("},
        {"propagate": "Content-Length"},
        {"insert": "transfer-encoding", "value": "chunked"},
        {"insert": "a", "value": "b\r\nc: d"},
        {"propagate": "Router-Authorization"},
        {"insert": "router-authorization", "value": "guess"},
        {"propagate": "a", "rename": "router-authorization"},
        {"propagate": "a b"},
        {"propogate": "a"},
    ],
    ids=str,
)
def test_wrong_rules_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RouterSettings.model_validate({"header_rules": [rule]})


async def ask(
    things: ThingsSubgraph, allowed: list[str], query: str = "{ greeting }"
) -> list[tuple[str, str]]:
    async with routed(things, response_headers=allowed) as client:
        response = await client.post("/graphql", json={"query": query})
    names = {name.lower() for name in allowed} | {"cache-control"}
    return [header for header in response.headers.multi_items() if header[0] in names]


async def test_allowed_headers_come_back_each_by_itself() -> None:
    things = Things(
        ("set-cookie", "a=1; Expires=Thu, 01 Jan 2026"),
        ("set-cookie", "b=2"),
        ("x-served-by", "one"),
        ("server", "secret"),
    )
    assert await ask(things, ["Set-Cookie", "x-served-by"]) == [
        ("cache-control", "no-store"),
        ("set-cookie", "a=1; Expires=Thu, 01 Jan 2026"),
        ("set-cookie", "b=2"),
        ("x-served-by", "one"),
    ]
    assert await ask(things, []) == [("cache-control", "no-store")]


@pytest.mark.parametrize(
    ("given", "query", "expected"),
    [
        ("max-age=60", "{ greeting }", "max-age=60, public"),
        ("private, max-age=60", "{ greeting }", "max-age=60, private"),
        ("max-age=60, no-cache", "{ greeting }", "no-store"),
        ("max-age=soon", "{ greeting }", "no-store"),
        ("public", "{ greeting }", "no-store"),
        ("max-age=60", "{ failing }", "no-store"),
        ("max-age=60", "mutation { bump }", "no-store"),
        ("max-age=60", "{ __typename }", "no-store"),
    ],
)
async def test_cache_control_is_the_strictest(given: str, query: str, expected: str) -> None:
    things = Things(("cache-control", given))
    assert await ask(things, ["cache-control"], query) == [("cache-control", expected)]


async def test_an_answer_with_a_cookie_is_not_shared() -> None:
    things = Things(("set-cookie", "session=1"))
    async with routed(things, response_headers=["set-cookie"]) as client:
        asking = [
            asyncio.create_task(client.post("/graphql", json={"query": "{ slow }"}))
            for _ in range(2)
        ]
        await things.started.wait()
        things.release.set()
        await asyncio.gather(*asking)
    assert len(things.requests) == 2
