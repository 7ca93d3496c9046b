"""`socialnet schema`: the generated files under `schema/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The checked-in schemas.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `export` a subcommand, though it is the only one."""


@app.command()
def export(
    *,
    directory: Annotated[
        Path, typer.Option(help="Where the schemas are, beside supergraph.yaml.", file_okay=False)
    ] = Path("schema"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a file is stale.")
    ] = False,
) -> None:
    """Write the schemas of subgraphs, supergraph, clients and events from the code."""
    from socialnet.schema_export import find_stale, generate_schemas, write_schemas

    generated = generate_schemas(directory.absolute().parent / "supergraph.yaml")
    stale = find_stale(directory, generated)
    if not check:
        write_schemas(directory, stale)
        for name, each in stale.items():
            typer.echo(f"{'wrote' if each.text is not None else 'removed'} {directory / name}")
        return
    for name in stale:
        typer.echo(stale[name].diff, nl=False)
    if stale:
        names = ", ".join(str(directory / name) for name in stale)
        typer.echo(f"Stale: {names}. Run `make schema` and commit what it writes.", err=True)
        raise typer.Exit(1)
    typer.echo("The schemas are up to date.")
