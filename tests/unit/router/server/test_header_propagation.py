"""Header rules on the way to subgraphs, and the allow-list on the way back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from typing_extensions import override
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from router.executor.transport.base import SubgraphRequest, SubgraphResponse
from router.server.settings import RouterSettings
from tests.support.router_server import ThingsSubgraph, make_app, served

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


MUTATION_HEADERS: dict[str, Any] = {
    "mutation_headers": ["User-Agent"],
    "client_address_forwarded_as": "x-client-address",
    "trusted_proxies": ["127.0.0.1"],
}
ABOUT_CLIENT = {"user-agent", "x-client-address"}


@pytest.mark.parametrize(
    "rules", [[], [{"propagate_matching": "x-client.*"}, {"propagate": "x-tenant"}]], ids=str
)
async def test_mutations_alone_tell_subgraphs_of_the_client(rules: list[dict[str, Any]]) -> None:
    things = ThingsSubgraph()
    headers = {
        "user-agent": "app/1",
        "x-forwarded-for": "203.0.113.9",
        "x-client-address": "forged",
    }
    async with routed(things, **MUTATION_HEADERS, header_rules=rules) as client:
        await client.post("/graphql", json={"query": "{ greeting }"}, headers=headers)
        await client.post("/graphql", json={"query": "mutation { bump }"}, headers=headers)

    query, mutation = (set(request.headers) for request in things.requests)
    assert {header for header in query if header[0] in ABOUT_CLIENT} == set()
    assert {header for header in mutation if header[0] in ABOUT_CLIENT} == {
        ("user-agent", "app/1"),
        ("x-client-address", "203.0.113.9"),
    }


async def test_a_mutation_by_websocket_tells_of_the_client_too() -> None:
    things = ThingsSubgraph()
    app = make_app(things, **MUTATION_HEADERS)
    protocol = Subprotocol("graphql-transport-ws")
    async with (
        served(app) as address,
        connect(
            f"ws://{address}/graphql", subprotocols=[protocol], user_agent_header="app/2"
        ) as socket,
    ):
        forged = {"x-client-address": "forged", "headers": {"user-agent": "forged"}}
        await socket.send(json.dumps({"type": "connection_init", "payload": forged}))
        await socket.recv()
        payload = {"query": "mutation { bump }"}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        assert json.loads(await socket.recv())["payload"]["data"] == {"bump": 1}

    (request,) = things.requests
    assert {header for header in request.headers if header[0] in ABOUT_CLIENT} == {
        ("user-agent", "app/2"),
        ("x-client-address", "127.0.0.1"),
    }


@pytest.mark.parametrize("name", ["authorization", "user-agent", "host", "router-authorization"])
def test_the_address_needs_a_header_of_its_own(name: str) -> None:
    with pytest.raises(ValidationError, match="client_address_forwarded_as"):
        RouterSettings(mutation_headers=("User-Agent",), client_address_forwarded_as=name)
