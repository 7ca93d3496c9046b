"""The fetch graph as text: its steps as built, before empty ones are dropped and others batched.

::

    Step 1 on reviews, after 0; becomes fetch 1 of the plan
      Flatten(path: "products.@") {
        ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.planner.plan import OperationKind, QueryPlan
from router.planner.plan_text import plan_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.planner.fetch_graph.step import Step
    from router.planner.inspect.stages import Stages
    from router.planner.plan import FetchNode

__all__ = ["fetch_graph_text"]


def fetch_graph_text(stages: Stages) -> str:
    """Every step: subgraph, what it comes after, its representations and its selection.

    Raises:
        PlanningError: there is no way to answer the operation.
    """
    steps = stages.steps()
    empty = {step for step in steps if not step.selection}
    fetches = stages.as_fetches(steps)
    after = {step: sorted(needed.id for needed in step.depends_on) for step in steps}
    # The passes change what a step depends on: they come last.
    becomes = {step: index for index, group in enumerate(stages.groups(steps)) for step in group}
    blocks = []
    for step, fetch in zip(steps, fetches, strict=True):
        head = _head(step, after[step])
        if step in empty:
            blocks.append(f"{head}; nothing is selected from it: dropped")
        else:
            head += f"; becomes fetch {becomes[step]} of the plan"
            blocks.append("\n".join([head, *_body(fetch)]))
    return "\n\n".join(blocks) or "Nothing is asked of a subgraph."


def _head(step: Step, after: list[int]) -> str:
    head = f"Step {step.id} on {step.subgraph}"
    return f"{head}, after {', '.join(map(str, after))}" if after else head


def _body(fetch: FetchNode) -> Iterator[str]:
    """The fetch as it stands in a plan, without the plan around it."""
    lines = plan_text(QueryPlan(kind=OperationKind.QUERY, fetches=(fetch,))).splitlines()
    yield from lines[1:-1]
