"""Checking a command line as a program would, without running it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import typer

import router.cli
import socialnet.cli

PROGRAMS: Final = {
    "socialnet": typer.main.get_command(socialnet.cli.app),
    "router": typer.main.get_command(router.cli.app),
}
"""Our programs by the name of the package or console script."""


def check_command_line(program: str, arguments: Sequence[str]) -> None:
    """Parse `program <arguments>`; raises the parser's UsageError when it would be refused."""
    command: Any = PROGRAMS[program]  # Typer's copy of click has no public types
    rest = list(arguments)
    context = None
    name: str | None = program
    while hasattr(command, "resolve_command"):
        context = command.make_context(name, rest, parent=context)
        name, command, rest = command.resolve_command(
            context, context._protected_args + context.args
        )
    command.make_context(name, rest, parent=context)
