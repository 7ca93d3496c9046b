"""Planning, as a stage of the server."""

from __future__ import annotations

from typing import Any

import httpx

from router.composition import SubgraphInput, compose
from router.executor.transport import AsgiTransport
from router.server.app import create_router_app
from router.server.settings import RouterSettings
from tests.federation.harness import DataSubgraph

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", '
    'import: ["@key", "@external", "@requires"])\n'
)
_SUBGRAPHS = {
    "shop": 'type Query { top: Product } type Product @key(fields: "id") { id: ID! weight: Int }',
    "post": """type Product @key(fields: "id") {
                 id: ID! weight: Int @external fee: Int @requires(fields: "weight") }""",
}


async def _ask(query: str, **settings: Any) -> httpx.Response:
    composed = compose(
        [SubgraphInput(name, f"http://{name}", _LINK + sdl) for name, sdl in _SUBGRAPHS.items()]
    )
    assert composed.supergraph_sdl is not None, composed.errors
    subgraphs = {
        "shop": DataSubgraph("shop", _SUBGRAPHS["shop"], root={"top": {"id": "1", "weight": 2}}),
        "post": DataSubgraph(
            "post", _SUBGRAPHS["post"], entities={"Product": [{"id": "1", "fee": 3}]}
        ),
    }
    app = create_router_app(
        RouterSettings(environment="test", access_log=False, **settings),
        composed.supergraph_sdl,
        transports={name: AsgiTransport(subgraph) for name, subgraph in subgraphs.items()},
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://router"
    ) as client:
        return await client.post("/graphql", json={"query": query})


async def test_what_takes_more_planning_than_the_setting_allows_is_refused() -> None:
    refused = await _ask("{ top { fee } }", planning_limit=1)

    assert refused.status_code == 500
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "QUERY_PLANNING_LIMIT_EXCEEDED"


async def test_what_takes_no_more_is_answered() -> None:
    assert (await _ask("{ __typename }", planning_limit=1)).json() == {
        "data": {"__typename": "Query"}
    }
    assert (await _ask("{ top { fee } }")).json() == {"data": {"top": {"fee": 3}}}
