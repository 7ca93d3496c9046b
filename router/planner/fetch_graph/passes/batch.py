"""Groups the steps that can be one request: same subgraph, same stage, same part of the answer,
neither root nor anything else between.

Two entity steps of one stage never depend on each other, so merging them cannot make a cycle.
Inside a group, steps that send the same representations from several places, or select for several
types at one place, share a call:

    users at posts.@.author          users at posts.@.author and posts.@.comments.@.author
    users at posts.@.comments.@.author   ->   (one _entities call, one selection)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.planner.fetch_graph.step import Step

__all__ = ["batch"]


def batch(steps: Sequence[Step]) -> list[list[Step]]:
    """Groups of steps, in an order in which every group comes after those its steps depend on."""
    groups: dict[tuple[int, str, object, object], list[Step]] = {}
    for step in steps:
        # A root step stands alone: it is not an entity call, and mutations have an order of their
        # own.
        alone = step.path is None or step.enters_root
        identity: object = step.id if alone else "entities"
        groups.setdefault((step.stage(), step.subgraph, identity, step.blocks()), []).append(step)
    return [
        group for _, group in sorted(groups.items(), key=lambda item: (item[0][0], item[1][0].id))
    ]
