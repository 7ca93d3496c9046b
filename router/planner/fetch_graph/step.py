"""A fetch step: one subgraph request while the fetch graph is being built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from router.planner.fetch_graph.demand import alternatives, deferrals_in, without_deferrals

if TYPE_CHECKING:
    from router.planner.deferrals import Block
    from router.planner.fetch_graph.contexts import StepContext
    from router.planner.fetch_graph.selection import SelectionBuilder
    from router.planner.plan import Path, RepresentationField
    from router.query_graph import Condition, Conditions

__all__ = ["Step"]


@dataclass(slots=True, eq=False)
class Step:
    """A vertex of the fetch graph. Root steps have no path; entity steps enter at ``path`` with
    representations, or without any where the object there is the query root.
    """

    id: int
    subgraph: str
    selection: SelectionBuilder
    path: Path | None = None
    types: frozenset[str] = frozenset()
    fragment: str | None = None  # the one type the subgraph answers with; None: one per type
    enters_root: bool = False
    any_type: bool = False  # objects of every runtime type are sent, though it be unknown
    typename: str | None = None  # what the representation calls the object; None: its own name
    keys: tuple[RepresentationField, ...] = ()
    requires: tuple[RepresentationField, ...] = ()
    contexts: dict[StepContext, None] = field(default_factory=dict)  # a set in order
    depends_on: set[Step] = field(default_factory=set)
    block: Conditions = frozenset()  # the deferrals below which the step was made
    _alternatives: frozenset[Conditions] | None = None

    def alternatives(self) -> frozenset[Conditions]:
        """The sets of conditions under which anything selected here is wanted.

        Only asked for when the graph is finished, and kept then.
        """
        if self._alternatives is None:
            self._alternatives = alternatives(self.selection.demands())
        return self._alternatives

    def conditions(self) -> Conditions:
        """What all alternatives share."""
        return without_deferrals(frozenset.intersection(*self.alternatives()))

    def any_of(self) -> tuple[tuple[Condition, ...], ...]:
        """What one of the alternatives demands beyond ``conditions``; empty when nothing."""
        common = self.conditions()
        found = {without_deferrals(a) - common for a in self.alternatives()}
        if frozenset() in found:
            return ()
        return tuple(sorted(tuple(sorted(a)) for a in found))

    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the answer that want what is selected here; none: the first answer does."""
        blocks = {frozenset(mark.variable for mark in deferrals_in(a)) for a in self.alternatives()}
        if frozenset() in blocks:
            return ()
        minimal = (b for b in blocks if not any(other < b for other in blocks))
        return tuple(sorted(minimal, key=sorted))

    def needs(self, other: Step) -> bool:
        """Whether this step comes after ``other``, directly or not; a step needs itself."""
        seen: set[Step] = set()
        stack = [self]
        while stack:
            step = stack.pop()
            if step is other:
                return True
            if step not in seen:
                seen.add(step)
                stack.extend(step.depends_on)
        return False

    def stage(self) -> int:
        """How many fetches have to answer before this one can start."""
        stages: dict[Step, int] = {}

        def of(step: Step) -> int:
            if step not in stages:
                stages[step] = 1 + max(map(of, step.depends_on), default=-1)
            return stages[step]

        return of(self)
