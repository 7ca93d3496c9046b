"""The subgraphs of many supergraphs over HTTP, behind one port: ``/<supergraph>/<subgraph>``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.federation.harness import DataSubgraph

__all__ = ["served"]


@asynccontextmanager
async def served(subgraphs: Mapping[str, DataSubgraph]) -> AsyncGenerator[str]:
    """Serve subgraphs, by path, with uvicorn on a port of their own; yields ``http://host:port``."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await subgraphs[scope["path"]](scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        ticking = asyncio.get_running_loop().create_task(server.main_loop())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await ticking
            await server.shutdown(sockets=[listener])
