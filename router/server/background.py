"""Long computations beside the event loop, and the garbage that they leave.

A thread that computes keeps the interpreter for a whole switch interval before it gives way, and
the event loop asks for it back after every wait. With the usual 5 ms each round of the loop would
take 5 ms longer; while something is computed here, the interval is a tenth of that.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["collect_for_good", "collect_seldom", "in_background"]

P = ParamSpec("P")
R = TypeVar("R")

_SWITCH_SECONDS = 0.0005


async def in_background(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a computation in a thread that gives way to the event loop quickly. One at a time."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    finally:
        sys.setswitchinterval(usual)


def collect_for_good() -> None:
    """Collect all garbage, and let the collector pass over what is left from now on.

    A supergraph's model is large, full of cycles and never garbage while it is served: without
    this, each full collection walks it and stalls requests for its whole length. What has become
    garbage since the last call is only found by the next one.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def collect_seldom(allocations: int) -> None:
    """Let the collector look at what is new only after so many more containers have been made than
    freed; 0 leaves that as it is.

    Answers are thousands of dictionaries and lists that live for one request and have no cycles.
    Python's 700 lets the collector walk them several times for each large one.
    """
    if allocations:
        gc.set_threshold(allocations, *gc.get_threshold()[1:])
