"""A subgraph answers only who proves to be the router."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import pytest
import strawberry
from pydantic import ValidationError
from starlette.applications import Starlette
from typing_extensions import override
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from shared.errors import OperatorError
from shared.graphql import (
    ROUTER_HEADER,
    Authenticator,
    RouterSecrets,
    SubgraphContext,
    SubgraphSchema,
    SubgraphView,
    create_application,
    documented_field,
    schema_config,
)
from shared.settings import Environment
from subgraphs.users.settings import UsersSettings
from tests.support.subgraphs import Tokens, served

OLD, NEW = "o" * 32, "n" * 32
PROTOCOL = Subprotocol("graphql-transport-ws")


class Context(SubgraphContext):
    """The least context."""

    slots = 256

    @override
    def forget_loaded(self) -> None:
        """Nothing is loaded."""

    @override
    def _copy(self) -> Self:
        return type(self)(self.authenticator)


@strawberry.type
class Query:
    @documented_field
    def answer(self) -> int:
        """A number."""
        return 42


@asynccontextmanager
async def _nothing(_: Starlette) -> AsyncIterator[None]:
    yield


def app(*secrets: str) -> Starlette:
    schema = SubgraphSchema(query=Query, config=schema_config())
    authenticator = Authenticator(Tokens().verifier())
    view = SubgraphView(schema, lambda: Context(authenticator), RouterSecrets(secrets))
    return create_application(view, lifespan=_nothing)


async def ask(application: Starlette, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://subgraph") as client:
        return await client.post("/graphql", json={"query": "{ answer }"}, headers=headers)


@pytest.mark.parametrize("secret", [OLD, NEW])
async def test_each_of_its_secrets_is_good(secret: str) -> None:
    response = await ask(app(OLD, NEW), {ROUTER_HEADER: secret})

    assert response.json() == {"data": {"answer": 42}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {ROUTER_HEADER: ""},
        {ROUTER_HEADER: OLD[:-1]},
        {ROUTER_HEADER: OLD + "o"},
        {ROUTER_HEADER: "x" * 32},
        {"authorization": OLD},
    ],
)
async def test_anybody_else_is_refused(headers: dict[str, str]) -> None:
    response = await ask(app(OLD, NEW), headers)

    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}


async def test_health_and_metrics_need_no_secret() -> None:
    transport = httpx.ASGITransport(app(OLD))
    async with httpx.AsyncClient(transport=transport, base_url="http://subgraph") as client:
        statuses = [(await client.get(path)).status_code for path in ("/health", "/metrics")]

    assert statuses == [200, 200]


async def test_without_secrets_everybody_is_answered() -> None:
    assert (await ask(app(), {})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "payload"),
    [({}, {ROUTER_HEADER: NEW}), ({ROUTER_HEADER: OLD}, {}), ({ROUTER_HEADER: OLD}, {"a": 1})],
)
async def test_a_websocket_of_the_router_is_accepted(
    headers: dict[str, str], payload: dict[str, Any]
) -> None:
    async with (
        served(app(OLD, NEW)) as address,
        connect(
            f"ws://{address}/graphql", subprotocols=[PROTOCOL], additional_headers=headers
        ) as socket,
    ):
        await socket.send(_init(payload))

        assert "connection_ack" in str(await socket.recv())


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ({}, {}),
        ({}, {ROUTER_HEADER: "x" * 32}),
        ({}, {ROUTER_HEADER: [OLD]}),
        ({ROUTER_HEADER: "x"}, {}),
    ],
)
async def test_a_websocket_of_anybody_else_is_closed(
    headers: dict[str, str], payload: dict[str, Any]
) -> None:
    async with (
        served(app(OLD, NEW)) as address,
        connect(
            f"ws://{address}/graphql", subprotocols=[PROTOCOL], additional_headers=headers
        ) as socket,
    ):
        await socket.send(_init(payload))
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()

    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4403


def _init(payload: dict[str, Any]) -> str:
    return json.dumps({"type": "connection_init", "payload": payload})


def _settings(**members: Any) -> UsersSettings:
    shards = [{"id": "shard-0", "primary": "postgresql://nowhere"}]
    return UsersSettings.model_validate({"shards": shards, **members})


def test_a_service_in_production_does_not_start_without_a_secret() -> None:
    with pytest.raises(OperatorError, match="USERS_ROUTER_SECRETS must be set"):
        _settings().accepted_router_secrets()

    development = _settings(environment=Environment.DEVELOPMENT)
    assert development.accepted_router_secrets() == ()
    assert _settings(router_secrets=[OLD, NEW]).accepted_router_secrets() == (OLD, NEW)


def test_a_short_secret_is_refused_and_none_is_printed() -> None:
    with pytest.raises(ValidationError):
        _settings(router_secrets=["short"])
    assert OLD not in repr(_settings(router_secrets=[OLD]))
