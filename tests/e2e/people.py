"""Users of a running system, each with a typed client of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from socialnet.client import LoginInput, RegisterInput, SocialnetClient
from tests.e2e.conftest import System

__all__ = ["Person", "ask", "new_person", "signed_in", "stranger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A signed-in user."""

    id: str
    handle: str
    token: str
    client: SocialnetClient


def stranger(system: System, token: str | None = None) -> SocialnetClient:
    """A client of nobody's, or with the given token."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return SocialnetClient(
        url=system.graphql_url,
        headers=headers,
        # httpx types its parameters more narrowly than the generated protocol does
        http_client=httpx.AsyncClient(headers=headers, timeout=30),  # type: ignore[arg-type]
        ws_url=system.websocket_url,
        ws_connection_init_payload={k.lower(): v for k, v in headers.items()},
    )


@asynccontextmanager
async def new_person(system: System) -> AsyncIterator[Person]:
    """Register somebody new."""
    handle = f"p_{uuid4().hex[:16]}"
    async with stranger(system) as nobody:
        payload = (
            await nobody.register(
                RegisterInput(
                    email=f"{handle}@example.com",
                    password="a quiet harbour town",
                    handle=handle,
                    display_name="Somebody New",
                )
            )
        ).registration
    async with stranger(system, payload.access_token) as client:
        yield Person(id=payload.user.id, handle=handle, token=payload.access_token, client=client)


@asynccontextmanager
async def signed_in(system: System, email: str | None = None) -> AsyncIterator[Person]:
    """Sign in with a demo login."""
    async with stranger(system) as nobody:
        credentials = LoginInput(email=email or system.logins[0], password=system.password)
        payload = (await nobody.login(credentials)).login
    async with stranger(system, payload.access_token) as client:
        yield Person(
            id=payload.user.id,
            handle=payload.user.handle,
            token=payload.access_token,
            client=client,
        )


async def ask(
    system: System, query: str, variables: dict[str, Any] | None = None, token: str | None = None
) -> dict[str, Any]:
    """Ask without the typed client: for answers with errors in them, and for what they cost."""
    headers = {"x-router-debug": "1"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    async with httpx.AsyncClient(timeout=30) as client:
        body = {"query": query, "variables": variables}
        answer: dict[str, Any] = (
            await client.post(system.graphql_url, json=body, headers=headers)
        ).json()
    return answer
