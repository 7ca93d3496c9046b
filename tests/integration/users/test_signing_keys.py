"""Signing keys: replaced under traffic; and bad tokens, through router and subgraphs."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from router.executor.transport.asgi import AsgiTransport
from router.server.app import create_router_app
from router.server.settings import RouterSettings
from shared.auth import RemoteKeys, SigningKey, TokenVerifier
from shared.cache import InProcessRedis
from shared.errors import OperatorError
from shared.settings import Environment
from shared.sharding import ShardConfig
from subgraphs.posts.app import create_app as create_posts_app
from subgraphs.posts.settings import PostsSettings
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import REGISTER
from tests.integration.users.test_login import LOGIN
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    cheap_passwords,
    new_id,
    served,
    shard_entries,
)

ROOT = Path(__file__).parents[3]
POST = 'mutation { createPost(input: {text: "x"}) { id author { handle } } }'
ADA = {
    "email": "ada@example.com",
    "password": "correct horse 1",
    "handle": "ada",
    "displayName": "Ada",
}


@dataclass
class Users:
    """The users subgraph behind one address, restarted with other keys now and then."""

    shards: tuple[ShardConfig, ...]
    stack: AsyncExitStack
    folder: Path
    app: ASGIApp | None = None
    files: dict[str, Path] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def key(self, name: str) -> Path:
        """The file of a key, which is made at first."""
        if name not in self.files:
            self.files[name] = self.folder / f"{name}.pem"
            self.files[name].write_text(SigningKey.generate().to_pem())
        return self.files[name]

    async def restart(self, signing: str, *others: str) -> None:
        """A new process takes over; the old one is still there for what it has begun."""
        settings = UsersSettings(
            shards=shard_entries(self.shards),
            environment=Environment.TEST,
            signing_key_file=self.key(signing),
            other_key_files=tuple(map(self.key, others)),
            limit_login_email="off",
            pool_size=4,
        )
        app = create_app(settings, passwords=cheap_passwords())
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        self.app = app


@dataclass(frozen=True, slots=True)
class House:
    """Everything that looks at tokens: users, posts with keys by JWKS, and a router."""

    users: Users
    ask_users: SubgraphClient
    ask_posts: SubgraphClient
    ask_router: SubgraphClient
    strict_router: SubgraphClient


@pytest.fixture
async def house(
    users_shards: tuple[ShardConfig, ...], posts_shards: tuple[ShardConfig, ...], tmp_path: Path
) -> AsyncIterator[House]:
    """The running house; users signs with the key `old`."""
    async with AsyncExitStack() as stack:
        users = Users(users_shards, stack, tmp_path)
        await users.restart("old")
        address = await stack.enter_async_context(served(Starlette(routes=[Mount("/", app=users)])))
        jwks_url = f"http://{address}/.well-known/jwks.json"
        posts = await _posts(stack, posts_shards, jwks_url)
        ask = [SubgraphClient(app) for app in (users, posts)]
        for bad in ("ignore", "reject"):
            settings = RouterSettings(
                environment="test",
                access_log=False,
                jwt_issuers=[
                    {
                        "issuer": "socialnet",
                        "audiences": ["socialnet"],
                        "algorithms": ["EdDSA"],
                        "types": ["at+jwt"],
                        "jwks_url": jwks_url,
                    }
                ],
                jwt_bad_tokens=bad,
                jwt_leeway=0,
                jwks_min_interval=0.001,
            )
            router = create_router_app(
                settings,
                (ROOT / "schema/supergraph.graphql").read_text(),
                transports={"users": AsgiTransport(users), "posts": AsgiTransport(posts)},
            )
            stack.push_async_callback(router.aclose)
            ask.append(SubgraphClient(router))
        for client in ask:
            stack.push_async_callback(client.close)
        yield House(users, *ask)


async def _posts(
    stack: AsyncExitStack, shards: tuple[ShardConfig, ...], jwks_url: str
) -> Starlette:
    redis = InProcessRedis().client()
    stack.push_async_callback(redis.aclose)
    verifier = TokenVerifier(
        RemoteKeys(jwks_url, min_interval=0.0), issuer="socialnet", audience="socialnet"
    )
    settings = PostsSettings(shards=shard_entries(shards), environment=Environment.TEST)
    app = create_posts_app(settings, redis=redis, verifier=verifier)
    await stack.enter_async_context(app.router.lifespan_context(app))
    return app


async def _login(house: House) -> str:
    token: str = (await house.ask_router(LOGIN, {"input": _credentials()})).ok()["login"][
        "accessToken"
    ]
    return token


def _credentials() -> dict[str, str]:
    return {name: ADA[name] for name in ("email", "password")}


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def _published(house: House) -> list[str]:
    response = await house.ask_users.get("/.well-known/jwks.json")
    assert all("d" not in key for key in response.json()["keys"])
    return [key["kid"] for key in response.json()["keys"]]


async def test_the_key_is_replaced_while_clients_work(house: House) -> None:
    (await house.ask_router(REGISTER, {"input": ADA})).ok()
    first = await _login(house)
    kept, done = [first], asyncio.Event()
    answers: list[Answer] = []

    async def work() -> None:
        """Signs in and posts, over and over; and goes on with the first token."""
        while not done.is_set():
            for token in (await _login(house), *kept):
                answers.append(await house.strict_router(POST, token=token))

    async def some_more_answers() -> None:
        seen = len(answers)
        async with asyncio.timeout(30):
            while len(answers) < seen + 6:
                await asyncio.wait({working}, timeout=0.05)

    working = asyncio.ensure_future(work())
    published = []
    for step in (("old", "next"), ("next", "old"), ("next",)):
        if step == ("next",):
            kept.clear()  # by now the tokens of the old key have expired
            await some_more_answers()
        await house.users.restart(*step)
        published.append(await _published(house))
        await some_more_answers()
    last = await _login(house)
    done.set()
    await working

    for answer in answers:
        assert answer.ok()["createPost"]["author"]["handle"] == "ada"
    old, new = _kid(first), _kid(last)
    assert published == [[old, new], [new, old], [new]]
    assert (await house.ask_users("{ me { id } }", token=first)).codes == ["TOKEN_INVALID"]


def _claims(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    claims = {
        "iss": "socialnet",
        "aud": "socialnet",
        "iat": now,
        "nbf": now,
        "exp": now + timedelta(minutes=5),
        "sub": str(new_id(0)),
        "scope": "",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def _signed(key: SigningKey, *, claims: dict[str, Any] | None = None, **headers: Any) -> str:
    return jwt.encode(
        claims or _claims(),
        key.private_key,
        "EdDSA",
        {"kid": key.kid, "typ": "at+jwt", **headers},
    )


def _unsigned(key: SigningKey) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = _claims() | {"iat": 0, "nbf": 0, "exp": 2**33}
    return f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': key.kid})}.{part(claims)}."


def _with_the_public_key_as_secret(key: SigningKey) -> str:
    public = key.public.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return jwt.encode(_claims(), public, "HS256", {"kid": key.kid, "typ": "at+jwt"})


FORGERIES: dict[str, Callable[[SigningKey], str]] = {
    "no signature": _unsigned,
    "the public key as an HMAC secret": _with_the_public_key_as_secret,
    "an unknown key": lambda _: _signed(SigningKey.generate()),
    "another key under our id": lambda key: _signed(SigningKey.generate(), kid=key.kid),
    "another issuer": lambda key: _signed(key, claims=_claims(iss="evil")),
    "another audience": lambda key: _signed(key, claims=_claims(aud="other")),
    "another type": lambda key: _signed(key, typ="JWT"),
    "not valid yet": lambda key: _signed(
        key, claims=_claims(nbf=datetime.now(UTC) + timedelta(minutes=5))
    ),
    "no expiry": lambda key: _signed(key, claims=_claims(exp=None)),
    "garbage": lambda _: "garbage",
    "expired": lambda key: _signed(
        key, claims=_claims(exp=datetime.now(UTC) - timedelta(seconds=1))
    ),
}


async def test_every_bad_token_has_a_code_through_router_and_subgraphs(house: House) -> None:
    key = SigningKey.from_pem(house.users.key("old").read_text())
    good = await house.ask_posts('{ post(id: "x") { id } }', token=_signed(key))
    assert good.codes == ["BAD_USER_INPUT"]  # the token is not what is wrong

    for name, forge in FORGERIES.items():
        token = forge(key)
        expected = "TOKEN_EXPIRED" if name == "expired" else "TOKEN_INVALID"
        for ask, query in (
            (house.ask_users, "{ me { id } }"),
            (house.ask_posts, '{ post(id: "x") { id } }'),
            (house.ask_router, "{ me { id } }"),
        ):
            assert (await ask(query, token=token)).codes == [expected], name
        refused = await house.strict_router.post(
            "/graphql",
            json={"query": "{ me { id } }"},
            headers={"authorization": f"Bearer {token}"},
        )
        code = refused.json()["errors"][0]["extensions"]["code"]
        assert (refused.status_code, code) == (
            401,
            "TOKEN_EXPIRED" if name == "expired" else "INVALID_TOKEN",
        ), name


@pytest.mark.parametrize("text", ["", "no PEM", "-----BEGIN PUBLIC KEY-----\nx\n"])
def test_a_key_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    signing, other = tmp_path / "signing.pem", tmp_path / "other.pem"
    signing.write_text(SigningKey.generate().to_pem())
    other.write_text(text)
    settings = UsersSettings(shards=(), signing_key_file=signing, other_key_files=(other,))

    with pytest.raises(OperatorError, match=r"other\.pem"):
        settings.issuer()
