"""A small supergraph of one subgraph with access rules, for tests of the router's server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from router.composition import SubgraphInput, compose
from router.executor.transport import AsgiTransport
from router.server.access.policies import PolicyEvaluator
from router.server.app import RouterApp, create_router_app
from router.server.settings import RouterSettings
from tests.federation.harness import DataSubgraph

SDL = """
extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.9"
    import: ["@authenticated", "@requiresScopes", "@policy"]
  )

type Query {
  public: String
  mine: String @authenticated
  secret: String @requiresScopes(scopes: [["secret"]])
  owned: String @policy(policies: [["owner"]])
  user: User
}

type User {
  name: String
  email: String @requiresScopes(scopes: [["email"]])
}

type Mutation {
  wipe: Int @authenticated
}

type Subscription {
  news: User
  alarms: Int @authenticated
}
"""


def data_subgraph() -> DataSubgraph:
    """The subgraph with its data; subscriptions give two events."""

    async def news(*_: Any) -> AsyncGenerator[Any, None]:
        for name in ("Ada", "Bob"):
            yield {"name": name, "email": f"{name}@example.org"}

    async def alarms(*_: Any) -> AsyncGenerator[Any, None]:
        yield 1

    user = {"name": "Ada", "email": "ada@example.org"}
    root = {"public": "p", "mine": "m", "secret": "s", "owned": "o", "user": user}
    return DataSubgraph(
        "things",
        SDL,
        root=root,
        resolvers={
            "Mutation.wipe": lambda *_: 1,
            "Subscription.news": news,
            "Subscription.alarms": alarms,
        },
    )


def guarded_app(
    subgraph: DataSubgraph, *, policies: PolicyEvaluator | None = None, **settings: Any
) -> RouterApp:
    """Return a router over the subgraph, in test settings unless told otherwise."""
    chosen = RouterSettings(**{"environment": "test", "access_log": False, **settings})
    composed = compose([SubgraphInput("things", "http://things", SDL)])
    assert composed.supergraph_sdl is not None, composed.errors
    transports = {"things": AsgiTransport(subgraph)}
    return create_router_app(
        chosen, composed.supergraph_sdl, transports=transports, policies=policies
    )


@asynccontextmanager
async def guarded_client(app: RouterApp) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client of the router, without a network."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
        yield client
    await app.aclose()
