"""Tokens in requests: where they may be, what a bad one is answered, by HTTP and WebSocket."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import orjson
import pytest
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.server.settings import RouterSettings
from tests.federation.harness import DataSubgraph
from tests.support.guarded_router import data_subgraph, guarded_app, guarded_client
from tests.support.router_server import served
from tests.support.token_issuers import (
    SECRET,
    Key,
    claims_of,
    issuer_setting,
    jwks_endpoint,
)

GOOD = jwt.encode(claims_of(scope="email"), SECRET, "HS256")
EXPIRED = jwt.encode(claims_of(exp=int(time.time()) - 60), SECRET, "HS256")
MINE = {"query": "{ mine }"}


@pytest.fixture
def things() -> DataSubgraph:
    return data_subgraph()


@asynccontextmanager
async def router(things: DataSubgraph, **settings: Any) -> AsyncGenerator[httpx.AsyncClient, None]:
    app = guarded_app(things, **{"jwt_issuers": [issuer_setting()], **settings})
    async with guarded_client(app) as client:
        yield client


def code(response: httpx.Response) -> str:
    body = response.json()
    assert "data" not in body
    return str(body["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize("value", [f"Bearer {GOOD}", f"bearer  {GOOD} ", f"BEARER {GOOD}"])
async def test_the_token_is_in_the_authorization_header(things: DataSubgraph, value: str) -> None:
    async with router(things) as client:
        response = await client.post("/graphql", json=MINE, headers={"authorization": value})

    assert response.json() == {"data": {"mine": "m"}}
    assert things.requests[0].headers["authorization"].strip() == value.strip()


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"Bearer {EXPIRED}", "TOKEN_EXPIRED"),
        ("Bearer nonsense", "INVALID_TOKEN"),
        ("Bearer", "INVALID_TOKEN"),
        (GOOD, "INVALID_TOKEN"),
        ("Basic YTpi", "INVALID_TOKEN"),
        (f"Bearer {GOOD}, Bearer {GOOD}", "INVALID_TOKEN"),
        (f"Bearer {GOOD} {GOOD}", "INVALID_TOKEN"),
    ],
)
async def test_a_bad_token_is_401_before_anything_is_done(
    things: DataSubgraph, value: str, expected: str, accept: str
) -> None:
    async with router(things) as client:
        response = await client.post(
            "/graphql", content=b"{not json", headers={"authorization": value, "accept": accept}
        )

    assert response.status_code == 401
    assert code(response) == expected
    assert response.headers["www-authenticate"].startswith("Bearer ")
    assert not things.requests


async def test_two_authorization_headers_are_refused(things: DataSubgraph) -> None:
    headers = [("authorization", f"Bearer {GOOD}"), ("authorization", f"Bearer {GOOD}")]
    async with router(things) as client:
        response = await client.post("/graphql", json=MINE, headers=headers)

    assert response.status_code == 401
    assert code(response) == "INVALID_TOKEN"


async def test_without_a_token_the_caller_is_anonymous(things: DataSubgraph) -> None:
    async with router(things) as client:
        response = await client.post("/graphql", json={"query": "{ public }"})

    assert response.json() == {"data": {"public": "p"}}


async def test_a_token_may_be_required(things: DataSubgraph) -> None:
    async with router(things, jwt_required=True) as client:
        response = await client.post("/graphql", json={"query": "{ public }"})

    assert response.status_code == 401
    assert code(response) == "UNAUTHENTICATED"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "mine"),
    [
        ({"cookie": f"a=b; session={GOOD}; c=d"}, "m"),
        ({"cookie": f'session="{GOOD}"'}, "m"),
        ({"cookie": "a=b"}, None),
        ({"cookie": "session=bad", "authorization": f"Bearer {GOOD}"}, "m"),
    ],
)
async def test_the_token_may_be_in_a_cookie(
    things: DataSubgraph, headers: dict[str, str], mine: str | None
) -> None:
    async with router(things, jwt_cookie="session") as client:
        response = await client.post("/graphql", json=MINE, headers=headers)

    assert response.json()["data"] == {"mine": mine}


async def test_a_cookie_that_is_there_twice_is_refused(things: DataSubgraph) -> None:
    async with router(things, jwt_cookie="s") as client:
        response = await client.post(
            "/graphql", json=MINE, headers={"cookie": f"s={GOOD}; s={GOOD}"}
        )

    assert code(response) == "INVALID_TOKEN"


async def test_a_header_of_ones_own_may_carry_the_bare_token(things: DataSubgraph) -> None:
    async with router(things, jwt_header="X-Token", jwt_scheme="") as client:
        response = await client.post("/graphql", json=MINE, headers={"x-token": GOOD})

    assert response.json() == {"data": {"mine": "m"}}


async def test_keys_come_from_the_jwks_endpoint(things: DataSubgraph) -> None:
    one, two = Key("one"), Key("two", "ES256")
    async with jwks_endpoint(one) as endpoint:
        issuers = [issuer_setting(endpoint.url)]
        async with router(things, jwt_issuers=issuers, jwks_min_interval=0.001) as client:

            async def ask(token: str) -> httpx.Response:
                headers = {"authorization": f"Bearer {token}"}
                return await client.post("/graphql", json=MINE, headers=headers)

            assert (await ask(one.token())).json() == {"data": {"mine": "m"}}
            endpoint.keys = [one, two]
            assert (await ask(two.token())).json() == {"data": {"mine": "m"}}
            endpoint.down = True
            assert code(await ask(Key("three").token())) == "INVALID_TOKEN"
            assert (await ask(one.token(sub="bob"))).json() == {"data": {"mine": "m"}}


async def test_without_keys_it_is_the_routers_fault(things: DataSubgraph) -> None:
    async with jwks_endpoint() as endpoint:
        endpoint.down = True
        async with router(things, jwt_issuers=[issuer_setting(endpoint.url)]) as client:
            headers = {"authorization": f"Bearer {Key('one').token()}"}
            response = await client.post("/graphql", json=MINE, headers=headers)
            anonymous = await client.post("/graphql", json={"query": "{ public }"})

    assert response.status_code == 503
    assert code(response) == "AUTHENTICATION_UNAVAILABLE"
    assert response.headers["retry-after"] == "5"
    assert anonymous.status_code == 200


async def test_refused_tokens_count_against_their_address(things: DataSubgraph) -> None:
    bad = {"authorization": "Bearer x"}
    async with router(things, rate_limit_address="2/60") as client:
        answers = [await client.post("/graphql", json=MINE, headers=bad) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


async def test_a_user_is_limited_by_subject_and_issuer(things: DataSubgraph) -> None:
    async with router(things, rate_limit_user="1/60") as client:

        async def ask(subject: str) -> int:
            token = jwt.encode(claims_of(sub=subject), SECRET, "HS256")
            headers = {"authorization": f"Bearer {token}"}
            return (await client.post("/graphql", json=MINE, headers=headers)).status_code

        statuses = [await ask(subject) for subject in ("ada", "bob", "ada")]

    assert statuses == [200, 200, 429]


# WebSocket


@asynccontextmanager
async def socket_of(
    things: DataSubgraph, headers: dict[str, str] | None = None, **settings: Any
) -> AsyncGenerator[ClientConnection, None]:
    app = guarded_app(things, jwt_issuers=[issuer_setting()], **settings)
    async with (
        served(app) as address,
        connect(
            f"ws://{address}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers=headers,
        ) as socket,
    ):
        yield socket


async def messages(socket: ClientConnection, query: str) -> list[dict[str, Any]]:
    """What comes for a subscription, to its end."""
    payload = {"id": "1", "type": "subscribe", "payload": {"query": query}}
    await socket.send(orjson.dumps(payload).decode())
    got: list[dict[str, Any]] = []
    while not got or got[-1]["type"] == "next":
        got.append(orjson.loads(await socket.recv()))
    return got


async def init(socket: ClientConnection, payload: dict[str, Any]) -> None:
    message = {"type": "connection_init", "payload": payload}
    await socket.send(orjson.dumps(message).decode())


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": f"Bearer {GOOD}"},
        {"headers": {"Authorization": f"Bearer {GOOD}"}},
        {"authorization": f"Bearer {GOOD}", "headers": {"authorization": f"Bearer {GOOD}"}},
    ],
)
async def test_the_token_is_in_connection_init(
    things: DataSubgraph, payload: dict[str, Any]
) -> None:
    async with socket_of(things) as socket:
        await init(socket, payload)
        assert orjson.loads(await socket.recv()) == {"type": "connection_ack"}

        got = await messages(socket, "subscription { news { name email } }")

    assert [message["payload"]["data"]["news"]["email"] for message in got[:-1]] == [
        "Ada@example.org",
        "Bob@example.org",
    ]


async def test_the_handshake_may_carry_the_token(things: DataSubgraph) -> None:
    async with socket_of(things, {"authorization": f"Bearer {GOOD}"}) as socket:
        await init(socket, {})
        await socket.recv()

        got = await messages(socket, "subscription { alarms }")

    assert [message["type"] for message in got] == ["next", "complete"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"authorization": f"Bearer {EXPIRED}"}, "TOKEN_EXPIRED"),
        ({"authorization": "Bearer x"}, "INVALID_TOKEN"),
        (
            {"authorization": f"Bearer {GOOD}", "headers": {"authorization": "Bearer x"}},
            "INVALID_TOKEN",
        ),
    ],
)
async def test_a_bad_token_closes_the_connection(
    things: DataSubgraph, payload: dict[str, Any], reason: str
) -> None:
    async with socket_of(things) as socket:
        await init(socket, payload)
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()

    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4403, reason)


async def test_every_event_lacks_what_the_caller_may_not_see(things: DataSubgraph) -> None:
    async with socket_of(things) as socket:
        await init(socket, {})
        await socket.recv()

        got = await messages(socket, "subscription { news { name email } }")

    assert [message["payload"]["data"] for message in got[:-1]] == [
        {"news": {"name": "Ada", "email": None}},
        {"news": {"name": "Bob", "email": None}},
    ]
    assert all(message["payload"]["errors"][0]["path"] == ["news", "email"] for message in got[:-1])
    assert "email" not in things.requests[0].query


async def test_a_subscription_that_is_withheld_is_refused(things: DataSubgraph) -> None:
    async with socket_of(things) as socket:
        await init(socket, {})
        await socket.recv()

        got = await messages(socket, "subscription { alarms }")

    assert [message["type"] for message in got] == ["error"]
    assert got[0]["payload"][0]["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    assert got[0]["payload"][0]["path"] == ["alarms"]
    assert not things.requests


# Settings


@pytest.mark.parametrize(
    "members",
    [
        {"algorithms": ["none"]},
        {"algorithms": ["HS256", "RS256"]},
        {"algorithms": ["RS256"]},
        {"algorithms": []},
        {"secret": "short"},
        {"secret": None},
        {"jwks_url": "http://idp/jwks.json"},
        {"audiences": []},
        {"issuer": ""},
        {"unknown": 1},
    ],
    ids=str,
)
def test_settings_that_would_be_unsafe_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RouterSettings(jwt_issuers=[{**issuer_setting(), **members}])


def test_an_issuer_is_listed_once() -> None:
    with pytest.raises(ValidationError, match="listed twice"):
        RouterSettings(jwt_issuers=[issuer_setting(), issuer_setting()])


# Bad tokens that are ignored


@pytest.mark.parametrize("value", [f"Bearer {EXPIRED}", "Bearer nonsense", "Basic YTpi"])
async def test_a_bad_token_may_be_ignored_and_left_to_the_subgraphs(
    things: DataSubgraph, value: str
) -> None:
    headers = {"authorization": value}
    async with router(things, jwt_bad_tokens="ignore") as client:
        public = await client.post("/graphql", json={"query": "{ public }"}, headers=headers)
        mine = await client.post("/graphql", json=MINE, headers=headers)
        good = await client.post("/graphql", json=MINE, headers={"authorization": f"Bearer {GOOD}"})

    assert public.json() == {"data": {"public": "p"}}
    assert mine.json()["data"] == {"mine": None}
    assert good.json() == {"data": {"mine": "m"}}
    assert things.requests[0].headers["authorization"] == value


async def test_a_connection_with_a_bad_token_that_is_ignored_is_anonymous(
    things: DataSubgraph,
) -> None:
    async with socket_of(things, jwt_bad_tokens="ignore") as socket:
        await init(socket, {"authorization": f"Bearer {EXPIRED}"})
        assert orjson.loads(await socket.recv()) == {"type": "connection_ack"}

        got = await messages(socket, "subscription { news { name email } }")

    assert {message["payload"]["data"]["news"]["email"] for message in got[:-1]} == {None}


def test_nobody_is_anonymous_where_tokens_are_required() -> None:
    with pytest.raises(ValidationError, match="not jwt_required"):
        RouterSettings(jwt_issuers=[issuer_setting()], jwt_required=True, jwt_bad_tokens="ignore")
