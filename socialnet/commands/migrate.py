"""`socialnet migrate`: the schema of each domain's databases, on all shards.

The shards are those of the environment (`USERS_SHARDS`, ...), or with `--data-dir` the clusters of
an embedded system, which must not be running; `socialnet dev` migrates its own by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from socialnet.domains import Domain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from shared.db.migrations import ShardRevision
    from shared.sharding import ShardConfig, ShardId

app = typer.Typer(help="Migrate the databases of all shards.", no_args_is_help=True)

_DataDir = Annotated[
    Path | None,
    typer.Option(help="The folder of an embedded system, instead of the environment's shards."),
]
_OptionalDomain = Annotated[Domain | None, typer.Argument(help="One domain; all by default.")]
_console = Console(highlight=False)


@app.command()
def up(
    domain: _OptionalDomain = None,
    *,
    to: Annotated[str, typer.Option(help="`head`, `+n` or a revision.")] = "head",
    data_dir: _DataDir = None,
) -> None:
    """Run pending migrations on every shard, in parallel."""
    from shared.db import migrations

    def run(name: Domain, shards: Sequence[ShardConfig]) -> Awaitable[Sequence[ShardRevision]]:
        return migrations.up(name, shards, to=to, progress=_reporter(name, "is at"))

    _run(domain, data_dir, run)


@app.command()
def down(
    domain: Annotated[Domain, typer.Argument(help="The domain.")],
    *,
    to: Annotated[str, typer.Option(help="`-n`, `base` or a revision.")] = "-1",
    data_dir: _DataDir = None,
) -> None:
    """Take migrations back on every shard, in parallel."""
    from shared.db import migrations

    def run(name: Domain, shards: Sequence[ShardConfig]) -> Awaitable[Sequence[ShardRevision]]:
        return migrations.down(name, shards, to=to, progress=_reporter(name, "has taken back"))

    _run(domain, data_dir, run)


@app.command()
def status(domain: _OptionalDomain = None, *, data_dir: _DataDir = None) -> None:
    """Show where each database stands; exit code 1 when one is behind or does not answer."""
    from shared.db import migrations
    from shared.db.migrations import SchemaState

    found = _run(domain, data_dir, migrations.status)
    if any(each.state in {SchemaState.BEHIND, SchemaState.UNREACHABLE} for each in found):
        raise typer.Exit(1)


@app.command()
def new(
    domain: Annotated[Domain, typer.Argument(help="The domain.")],
    message: Annotated[str, typer.Argument(help="What the migration does, in a few words.")],
) -> None:
    """Write an empty migration for a domain."""
    from shared.db import migrations

    _console.print(str(migrations.new(domain, message)), soft_wrap=True)


def _run(
    only: Domain | None,
    data_dir: Path | None,
    work: Callable[[Domain, Sequence[ShardConfig]], Awaitable[Sequence[ShardRevision]]],
) -> list[ShardRevision]:
    """Do `work` for one or all domains, print where the shards stand then, and return that."""

    async def run() -> list[tuple[Domain, ShardRevision]]:
        async with _shards(data_dir) as shards_of:
            domains = tuple(Domain) if only is None else (only,)
            return [
                (domain, each)
                for domain in domains
                for each in await work(domain, shards_of(domain))
            ]

    found = asyncio.run(run())
    table = Table("domain", "shard", "state", "revision", "pending", box=None, pad_edge=False)
    for domain, each in found:
        revision = each.revision or "none"
        table.add_row(domain, each.shard, each.state, revision, " ".join(each.pending))
    _console.print(table)
    return [each for _, each in found]


@contextlib.asynccontextmanager
async def _shards(
    data_dir: Path | None,
) -> AsyncIterator[Callable[[Domain], Sequence[ShardConfig]]]:
    """How to find a domain's shards, while they can be reached."""
    if data_dir is None:
        from socialnet.domains import settings_of

        yield lambda domain: settings_of(domain).topology().shards
        return
    from socialnet.embedded.folder import open_folder
    from socialnet.embedded.shards import create_databases, running_clusters, shard_configs
    from socialnet.progress import Progress

    with open_folder(data_dir) as folder:
        async with running_clusters(folder, Progress(_console)) as clusters:
            await create_databases(clusters)
            yield lambda domain: shard_configs(clusters, domain)


def _reporter(domain: Domain, verb: str) -> Callable[[ShardId, str], None]:
    def report(shard: ShardId, revision: str) -> None:
        _console.print(f"{domain} on {shard} {verb} {revision}")

    return report
