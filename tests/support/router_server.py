"""A small supergraph of one subgraph without a network, for tests of the router's server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import uvicorn
from graphql import GraphQLError, build_schema, graphql, parse, subscribe

from router.executor.context import JsonObject
from router.executor.transport.base import (
    SubgraphRequest,
    SubgraphResponse,
    TransportError,
)
from router.server.app import RouterApp, create_router_app
from router.server.serving import listen, uvicorn_config
from router.server.settings import RouterSettings

API = """
type Query {
  greeting(name: String = "world"): String!
  failing: String
  slow: String
  nested(filter: Filter!): String
  big(size: Int!): String
}
type Mutation {
  bump: Int!
  slowBump: Int!
}
type Subscription {
  ticks(count: Int!): Int!
  waiting: Int!
  big(size: Int!): String
}
input Filter {
  text: String!
  limit: Int
}
"""

SUPERGRAPH = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
{ query: Query mutation: Mutation subscription: Subscription }

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet,
  type: String, external: Boolean, override: String, usedOverridden: Boolean
) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!)
  repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false,
  resolvable: Boolean! = true, isInterfaceObject: Boolean! = false
) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import])
  repeatable on SCHEMA

scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
enum join__Graph { THINGS @join__graph(name: "things", url: "http://127.0.0.1:1/graphql") }

""" + API.replace(" {\n", " @join__type(graph: THINGS) {\n")


class ThingsSubgraph:
    """The subgraph ``things`` as a transport: answers with graphql-core, and keeps the requests.

    ``slow`` and ``slowBump`` answer when ``release`` is set. ``cancelled`` is set when a request or
    subscription under way was given up.
    """

    def __init__(self) -> None:
        self.schema = build_schema(API)
        self.requests: list[SubgraphRequest] = []
        self.release = asyncio.Event()
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.reachable = True
        self.closed = False
        self.count = 0

    async def execute(self, request: SubgraphRequest) -> SubgraphResponse:
        if not self.reachable:
            raise TransportError("connection refused")
        self.requests.append(request)
        body = orjson.loads(request.body)
        try:
            result = await graphql(
                self.schema, body["query"], self, variable_values=body.get("variables")
            )
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return SubgraphResponse(200, orjson.dumps(result.formatted))

    async def subscribe(self, request: SubgraphRequest) -> AsyncGenerator[JsonObject, None]:
        self.requests.append(request)
        body = orjson.loads(request.body)
        source = subscribe(
            self.schema, parse(body["query"]), _Events(self), variable_values=body.get("variables")
        )
        assert isinstance(source, AsyncGenerator)
        self.started.set()
        finished = False
        try:
            async for result in source:
                yield dict(result.formatted)
            finished = True
        finally:
            await source.aclose()
            if not finished:
                self.cancelled.set()

    async def aclose(self) -> None:
        self.closed = True

    # Resolvers of graphql-core's default kind: called with the info object and the arguments.

    def greeting(self, info: Any, name: str | None = None) -> str:
        return f"Hello, {name}!"

    def failing(self, info: Any) -> str:
        raise GraphQLError("no luck", extensions={"code": "NOT_FOUND", "secret": "internal"})

    def nested(self, info: Any, filter: dict[str, Any]) -> str:  # noqa: A002 - the argument's name
        return orjson.dumps(filter).decode()

    def big(self, info: Any, size: int) -> str:
        return "x" * size

    async def slow(self, info: Any) -> str:
        self.started.set()
        await self.release.wait()
        return "at last"

    def bump(self, info: Any) -> int:
        self.count += 1
        return self.count

    async def slowBump(self, info: Any) -> int:  # noqa: N802 - the field's name
        self.started.set()
        await self.release.wait()
        self.count += 1
        return self.count


class _Events:
    """The root value of subscriptions."""

    def __init__(self, things: ThingsSubgraph) -> None:
        self._things = things

    async def ticks(self, info: Any, count: int) -> AsyncGenerator[dict[str, Any], None]:
        for number in range(count):
            yield {"ticks": number}

    async def waiting(self, info: Any) -> AsyncGenerator[dict[str, Any], None]:
        yield {"waiting": 0}
        await self._things.release.wait()
        yield {"waiting": 1}

    async def big(self, info: Any, size: int) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            yield {"big": "x" * size}
            await asyncio.sleep(0)


@asynccontextmanager
async def served(app: RouterApp) -> AsyncGenerator[str, None]:
    """Serve the router with uvicorn on a port of its own; yields ``host:port``."""
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn_config(app, app.settings)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        ticking = asyncio.get_running_loop().create_task(server.main_loop())
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await ticking
            await server.shutdown(sockets=[listener])


def make_app(things: ThingsSubgraph, **settings: Any) -> RouterApp:
    """Return a router over the subgraph, in test settings unless told otherwise."""
    chosen = RouterSettings(**{"environment": "test", "access_log": False, **settings})
    return create_router_app(chosen, SUPERGRAPH, transports={"things": things})
