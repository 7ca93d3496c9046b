"""An SMS gateway on a real port: keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class SentMessage:
    """One request that the gateway got."""

    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class LocalGateway:
    """`statuses` are the next answers, 202 when there are none; 0 closes the connection without
    one, -1 never answers.
    """

    url: str = ""
    received: list[SentMessage] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def _handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(SentMessage(headers, await request.json()))
        status = self.statuses.pop(0) if self.statuses else 202
        if status == -1:
            await asyncio.Event().wait()
        if status == 0:
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=status or 500)


@contextlib.asynccontextmanager
async def running_gateway() -> AsyncIterator[LocalGateway]:
    """Run a gateway on a free port until the block ends."""
    gateway = LocalGateway()
    app = web.Application()
    app.router.add_post("/messages", gateway._handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    gateway.url = f"http://{host}:{port}/messages"
    try:
        yield gateway
    finally:
        await runner.cleanup()
