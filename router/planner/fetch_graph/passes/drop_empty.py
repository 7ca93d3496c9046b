"""Drops steps from which nothing is selected; what depended on them depends on what they depended
on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.planner.fetch_graph.step import Step

__all__ = ["drop_empty"]


def drop_empty(steps: Sequence[Step]) -> list[Step]:
    """The steps that select something, in the same order."""
    empty = [step for step in steps if not step.selection]
    for gone in empty:
        for step in steps:
            if gone in step.depends_on:
                step.depends_on.remove(gone)
                step.depends_on |= gone.depends_on
    return [step for step in steps if step.selection]
