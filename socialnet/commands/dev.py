"""`socialnet dev`: the whole system in this process, with PostgreSQL clusters of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Annotated

import typer


def dev(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")
    ] = 4000,
    shards: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Number of PostgreSQL shards; 2 for a new folder."),
    ] = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Begin without demo data.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Remove all data of the folder and begin anew.")
    ] = False,
    data_dir: Annotated[Path, typer.Option(help="Where data and keys are kept.")] = Path(
        ".socialnet"
    ),
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Write one line per request.")
    ] = False,
    no_sync: Annotated[
        bool,
        typer.Option(
            "--no-sync",
            help="Never wait for the disk: faster, but a crash of the machine may cost the data.",
        ),
    ] = False,
) -> None:
    """Run everything: PostgreSQL shards, subgraphs and router, in one process."""
    from rich.console import Console

    from shared.telemetry import configure_logging
    from socialnet.embedded.server import new_event_loop
    from socialnet.embedded.system import SystemOptions, run_system
    from socialnet.progress import Progress

    configure_logging(
        "socialnet", json=False, level=logging.INFO if access_log else logging.WARNING
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it announces what we say ourselves
    options = SystemOptions(
        data_dir=data_dir,
        host=host,
        port=port,
        shards=shards,
        demo=not no_demo,
        reset=reset,
        durable=not no_sync,
        access_log=access_log,
    )
    console = Console()
    with (
        contextlib.suppress(asyncio.CancelledError),  # a signal during the start: nothing is left
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        runner.run(run_system(options, console, Progress(console)))
