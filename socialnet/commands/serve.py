"""`socialnet serve`: one service in this process, with settings from the environment."""

from __future__ import annotations

import asyncio
import contextlib
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from shared.settings import ServiceSettings
    from socialnet.domains import Domain


class Service(StrEnum):
    """What can be served by itself; the ports are those of `supergraph.yaml`."""

    USERS = "users"
    POSTS = "posts"
    ROUTER = "router"


_DEFAULT_PORTS = {Service.ROUTER: 4000, Service.USERS: 4001, Service.POSTS: 4002}


def serve(
    service: Annotated[Service, typer.Argument(help="Which service.")],
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = None,
    config: Annotated[
        Path, typer.Option(help="Router: what the supergraph is composed of.", dir_okay=False)
    ] = Path("supergraph.yaml"),
) -> None:
    """Serve one subgraph or the router; a subgraph's settings come from `USERS_*`, `POSTS_*`."""
    number = _DEFAULT_PORTS[service] if port is None else port
    if service is Service.ROUTER:
        _serve_router(config, host, number)
    else:
        _serve_subgraph(service, host, number)


def _serve_router(config: Path, host: str, port: int) -> None:
    from router.cli import serve as serve_router
    from shared.auth import CLIENT_ADDRESS_HEADER

    # what our subgraphs want to know of a client; what is set counts first
    os.environ.setdefault("ROUTER_MUTATION_HEADERS", '["user-agent"]')
    os.environ.setdefault("ROUTER_CLIENT_ADDRESS_FORWARDED_AS", CLIENT_ADDRESS_HEADER)
    serve_router(config=config, host=host, port=port)


def _serve_subgraph(service: Service, host: str, port: int) -> None:
    from shared.settings import Environment
    from shared.telemetry import configure_logging
    from socialnet.domains import Domain, settings_of
    from socialnet.embedded.server import new_event_loop

    domain = Domain(service)
    settings = settings_of(domain)
    configure_logging(service, json=settings.environment is not Environment.DEVELOPMENT)
    with (
        contextlib.suppress(asyncio.CancelledError),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        runner.run(_run_subgraph(domain, settings, host, port))


async def _run_subgraph(domain: Domain, settings: ServiceSettings, host: str, port: int) -> None:
    from socialnet.embedded.server import SignalledProgram, open_listener, subgraph_config

    app = _make_app(domain, settings)
    with SignalledProgram() as program, open_listener(host, port) as listener:
        # The lifespan is entered here and not by uvicorn, which would hide what is wrong.
        async with app.router.lifespan_context(app):
            actual = listener.getsockname()[1]
            await program.serve(
                subgraph_config(app),
                listener,
                on_started=lambda: typer.echo(f"{domain} is ready: http://{host}:{actual}/graphql"),
            )


def _make_app(domain: Domain, settings: ServiceSettings) -> Starlette:
    from importlib import import_module

    app: Starlette = import_module(f"subgraphs.{domain}.app").create_app(settings)
    return app
