"""The command line `socialnet`: run everything, migrate, serve one service, export schemas.

A problem that the operator can solve is printed as one message, with exit code 1 and without a
traceback.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.text import Text

from shared.errors import OperatorError
from socialnet.commands import dev, migrate, schema, serve

__all__ = ["app", "main"]

app = typer.Typer(
    name="socialnet",
    help="A social network as one federated GraphQL API over sharded PostgreSQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they may hold passwords
)
app.command("dev")(dev.dev)
app.command("serve")(serve.serve)
app.add_typer(migrate.app, name="migrate")
app.add_typer(schema.app, name="schema")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except OperatorError as error:
        message = Text.assemble(("Error: ", "red"), str(error))
        Console(stderr=True, highlight=False, soft_wrap=True).print(message)
        sys.exit(1)
