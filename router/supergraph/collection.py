"""Pausing the garbage collector where masses of objects are made that all stay.

Parsing and composing large supergraphs makes millions of syntax nodes, none of them garbage until
the end; the collector would walk them again and again, for half of the time spent.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["paused_collection"]


@contextmanager
def paused_collection() -> Iterator[None]:
    """No collection inside the block; nested blocks and a collector that is off stay so."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
