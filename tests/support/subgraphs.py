"""Subgraphs as tests use them: the real application on real shards, spoken to over ASGI."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import uvicorn
from argon2 import PasswordHasher
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from shared.auth import PasswordHashing, SigningKey, StaticKeys, TokenIssuer, TokenVerifier
from shared.settings import ShardEntry
from shared.sharding import EntityId, ShardConfig, Slot

ISSUER = "socialnet-test"

# Seconds for settings, as a machine on which much is tested at once is slow and not down.
PATIENT = {"connect_timeout": 30.0, "pool_timeout": 30.0, "statement_timeout": 30.0}


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer taken apart."""

    data: Any
    errors: list[dict[str, Any]] = field(default_factory=list)
    extensions: dict[str, Any] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        """The errors' codes, in order."""
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def statements(self) -> dict[str, int]:
        """SQL statements by shard."""
        by_shard: dict[str, int] = self.extensions["sql"]["shards"]
        return by_shard

    def ok(self) -> Any:
        """The data of an answer without errors."""
        assert not self.errors, self.errors
        return self.data


class SubgraphClient:
    """Sends operations to one subgraph."""

    def __init__(self, target: ASGIApp | str) -> None:
        """`target` is an application to call directly, or the URL of a served one."""
        if isinstance(target, str):
            self._http = httpx.AsyncClient(base_url=target)
        else:
            transport = httpx.ASGITransport(app=target)
            self._http = httpx.AsyncClient(transport=transport, base_url="http://subgraph")

    async def __call__(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Run an operation, signed in with `token`."""
        sent = dict(headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        response = await self._http.post(
            "/graphql", json={"query": query, "variables": variables or {}}, headers=sent
        )
        assert response.status_code == 200, response.text
        body = response.json()
        return Answer(body.get("data"), body.get("errors") or [], body.get("extensions") or {})

    async def get(self, path: str) -> httpx.Response:
        """A plain GET."""
        return await self._http.get(path)

    async def post(self, path: str, **arguments: Any) -> httpx.Response:
        """A plain POST."""
        return await self._http.post(path, **arguments)

    async def close(self) -> None:
        """Let go of the HTTP client."""
        await self._http.aclose()


@contextlib.asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[SubgraphClient]:
    """The application within its lifespan."""
    async with app.router.lifespan_context(app):
        client = SubgraphClient(app)
        try:
            yield client
        finally:
            await client.close()


@dataclass(frozen=True, slots=True)
class Tokens:
    """An issuer of test tokens, and the verifier that believes it."""

    issuer: TokenIssuer = field(
        default_factory=lambda: TokenIssuer(
            SigningKey.generate(), issuer=ISSUER, audience="socialnet"
        )
    )

    def verifier(self) -> TokenVerifier:
        """A verifier that knows the issuer's key."""
        keys = StaticKeys(self.issuer.public_keys)
        return TokenVerifier(keys, issuer=self.issuer.issuer, audience=self.issuer.audience)

    def of(self, user_id: EntityId | None, *scopes: str) -> str:
        """A token of this user."""
        return self.issuer.issue(user_id=user_id, scopes=scopes).text


def cheap_passwords() -> PasswordHashing:
    """Argon2id with the least cost, for tests that are not about it."""
    return PasswordHashing(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def shard_entries(shards: Sequence[ShardConfig]) -> tuple[ShardEntry, ...]:
    """Shards as settings hold them."""
    return tuple(
        ShardEntry(
            id=shard.id,
            primary=SecretStr(shard.primary),
            replicas=tuple(map(SecretStr, shard.replicas)),
            direct=tuple(map(SecretStr, shard.direct)),
        )
        for shard in shards
    )


def new_id(number: int) -> EntityId:
    """A new ID in slot `number`: below 128 on the first of two shards, else on the second."""
    return EntityId.new(Slot(number % 256))


@contextlib.asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve the application with uvicorn on a port of its own; gives `host:port`."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="websockets-sansio")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    assert not server.lifespan.should_exit, "the application has not started"
    ticking = asyncio.get_running_loop().create_task(server.main_loop())
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown()


class LiveClient:
    """A graphql-transport-ws client of one connection; operations are told apart by their id."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, address: str, *, token: str | None = None) -> AsyncIterator[Self]:
        """Connected, and initialised with `token`."""
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:
            client = cls(socket)
            payload = {} if token is None else {"authorization": f"Bearer {token}"}
            await client.send({"type": "connection_init", "payload": payload})
            assert await client.receive() == {"type": "connection_ack"}
            yield client

    async def send(self, message: object) -> None:
        """Send a message."""
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(10):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        return message

    async def subscribe(
        self, query: str, variables: dict[str, Any] | None = None, *, name: str = "1"
    ) -> None:
        """Start an operation; answered queries tell that what was sent before has been taken in."""
        payload = {"query": query, "variables": variables or {}}
        await self.send({"id": name, "type": "subscribe", "payload": payload})

    async def next(self) -> Any:
        """The data of the next event, which must be without errors."""
        message = await self.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]
