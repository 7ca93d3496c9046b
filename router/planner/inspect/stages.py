"""The second half of planning step by step, for an operation that is to be looked at.

The same calls in the same order as in :meth:`Planner.plan`; a test compares what comes of both for
every federation case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.planner.fetch_graph.builder import FetchGraphBuilder
from router.planner.fetch_graph.output import OutputBuilder
from router.planner.fetch_graph.passes import batch, drop_empty
from router.planner.plan import OperationKind, QueryPlan

if TYPE_CHECKING:
    from graphql import DocumentNode, OperationDefinitionNode

    from router.planner.fetch_graph.step import Step
    from router.planner.plan import FetchNode
    from router.planner.planner import Planner

__all__ = ["Stages"]


class Stages:
    """One operation on its way through the planner."""

    def __init__(
        self, planner: Planner, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        """Take an operation of a document that is valid against the API schema.

        Raises:
            PlanningError: the supergraph has no such root type.
        """
        self.search = planner.search(document, operation)
        self._output = OutputBuilder(planner.supergraph, operation)

    def steps(self) -> list[Step]:
        """The fetch graph as built, before the passes over it.

        Raises:
            PlanningError: there is no way to answer the operation.
        """
        builder = FetchGraphBuilder(self.search.paths)
        if self.search.kind is OperationKind.MUTATION:
            builder.serial(self.search.root, self.search.units)
        else:
            builder.query(self.search.root, self.search.units)
        return builder.steps

    def as_fetches(self, steps: list[Step]) -> tuple[FetchNode, ...]:
        """Every step as a fetch of its own: what it would send if nothing were batched."""
        return self._output.fetches([[step] for step in steps])

    def groups(self, steps: list[Step]) -> list[list[Step]]:
        """The steps after the passes: empty ones dropped, the others in requests."""
        return batch(drop_empty(steps))

    def plan(self, groups: list[list[Step]]) -> QueryPlan:
        """The plan that the groups amount to."""
        fetches = self._output.fetches(groups)
        return QueryPlan(kind=self.search.kind, fetches=fetches, labels=self.search.labels)
