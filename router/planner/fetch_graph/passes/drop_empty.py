"""Drops steps from which nothing is selected, and what was selected elsewhere for them alone; what
depended on them depends on what they depended on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.planner.fetch_graph.step import Step

__all__ = ["drop_empty"]


def drop_empty(steps: Sequence[Step]) -> list[Step]:
    """The steps that select something, in the same order."""
    left = list(steps)
    while gone := frozenset(step for step in left if not step.selection):
        left = [step for step in left if step not in gone]
        for step in left:
            step.selection.withdraw(gone)
            while dropped := step.depends_on & gone:
                step.depends_on -= dropped
                step.depends_on.update(*(other.depends_on for other in dropped))
    return left
