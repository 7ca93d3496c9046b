"""Issuers of access tokens as the router meets them: keys, tokens, a JWKS endpoint on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

ISSUER = "https://idp.example"
AUDIENCE = "api"
SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Key:
    """A private key with its id and algorithm."""

    kid: str
    algorithm: str = "EdDSA"
    private: Any = None

    def __post_init__(self) -> None:
        match self.algorithm:
            case "EdDSA":
                self.private = ed25519.Ed25519PrivateKey.generate()
            case "ES256":
                self.private = ec.generate_private_key(ec.SECP256R1())
            case "RS256":
                self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a JWK."""
        algorithm = get_default_algorithms()[self.algorithm]
        public: dict[str, Any] = json.loads(
            algorithm.to_jwk(self.private.public_key())  # type: ignore[attr-defined, unused-ignore]
        )
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    @property
    def pem(self) -> bytes:
        """The public key as PEM."""
        pem: bytes = self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return pem

    def token(self, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed with this key; claims of None are left out."""
        return jwt.encode(
            claims_of(**claims), self.private, self.algorithm, {"kid": self.kid, **(headers or {})}
        )


def claims_of(**claims: Any) -> dict[str, Any]:
    """The claims of a good token, with some replaced; None leaves one out."""
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "exp": int(time.time()) + 600,
        **claims,
    }
    return {name: value for name, value in given.items() if value is not None}


@dataclass
class JwksEndpoint:
    """A JWKS endpoint; counts how often it is asked. ``down``: it answers 500."""

    keys: list[Key]
    down: bool = False
    requests: int = 0
    url: str = ""
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    async def handle(self, _: web.Request) -> web.Response:
        """Answer with the keys, when not held."""
        self.requests += 1
        await self.hold.wait()
        if self.down:
            return web.Response(status=500, text="out of order")
        return web.json_response({"keys": [key.jwk for key in self.keys]})


@contextlib.asynccontextmanager
async def jwks_endpoint(*keys: Key) -> AsyncGenerator[JwksEndpoint, None]:
    """Serve the keys on a port of its own."""
    endpoint = JwksEndpoint(list(keys))
    application = web.Application()
    application.router.add_get("/jwks.json", endpoint.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    endpoint.url = f"http://127.0.0.1:{port}/jwks.json"
    try:
        yield endpoint
    finally:
        await runner.cleanup()


def issuer_setting(url: str | None = None, **members: Any) -> dict[str, Any]:
    """An element of ROUTER_JWT_ISSUERS."""
    keys: dict[str, Any] = {"algorithms": ["EdDSA", "ES256", "RS256"], "jwks_url": url}
    if url is None:
        keys = {"algorithms": ["HS256"], "secret": SECRET}
    return {"issuer": ISSUER, "audiences": [AUDIENCE], **keys, **members}
