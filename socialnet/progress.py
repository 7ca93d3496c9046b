"""Telling the person at the terminal what is going on: spinners on a terminal, plain lines else."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console


class Progress:
    """Steps of something that takes seconds, on a console."""

    def __init__(self, console: Console) -> None:
        """`console` decides by itself whether it is a terminal."""
        self._console = console

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show `text` while the block runs, and how long it took when it is done."""
        started = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(text):
                yield
        else:
            yield
        seconds = time.monotonic() - started
        self._console.print(f"[green]✓[/green] {text} [dim]{seconds:.1f} s[/dim]")
