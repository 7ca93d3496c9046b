"""Which views of a position what is being selected may use, and which of them it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.query_graph import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from router.planner.fetch_graph.position import Position, View
    from router.query_graph import Conditions, FieldMove, OpField, Paths, ViewNode
    from router.query_graph.guards import Guard

__all__ = ["Sight"]


class Sight:
    """What can be seen from the ``block`` below which selections are made now: the deferrals."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._graph = paths.graph
        self.block: Conditions = frozenset()

    def views(self, position: Position, types: frozenset[str]) -> list[View]:
        """The views of a position that what is being selected may use."""
        return position.views(types, self.block)

    def nodes(self, position: Position, unit: Unit) -> frozenset[ViewNode]:
        """What the views are in the query graph, of those that see the unit's type."""
        return frozenset(
            view.node
            for view in self.views(position, unit.types)
            if self._graph.sees(view.node, unit.representative)
        )

    def nodes_by_stage(self, position: Position, unit: Unit) -> Iterator[frozenset[ViewNode]]:
        """What there is at first, and with each later stage, until all is there."""
        stages = {
            view: view.step.stage()
            for view in self.views(position, unit.types)
            if self._graph.sees(view.node, unit.representative)
        }
        for stage in sorted(set(stages.values()))[:-1]:
            yield frozenset(view.node for view, own in stages.items() if own <= stage)

    def direct(self, position: Position, unit: Unit, field: OpField) -> list[View]:
        """The views that have a field of the unit without anything sent along."""
        return [
            view
            for view in self.views(position, unit.types)
            if self._paths.direct_views((view.node,), unit.representative, field)
        ]

    def order(self, view: View, guard: Guard) -> tuple[object, ...]:
        """The first view is used: one of this block, or for an input one that others use anyway;
        then as early as may be. One that is in use costs nothing more; then the one that is there
        first.
        """
        unused = not view.is_used()
        foreign = view.block != self.block and (unused or not guard.tokens)
        return (foreign, view.step.stage(), unused, view.order)

    def together(
        self,
        position: Position,
        units: Sequence[Unit],
        computed: Sequence[dict[OpField, ViewNode]],
        field: OpField,
    ) -> Unit | None:
        """The units that want the same composite field of the same views, as one; None otherwise.

        Where types differ in one field only, the others are planned once. Planned per type, a
        chain of such positions would double at every level.
        """
        if not field.sources:
            return None
        holders = [unit for unit in units if field in unit.fields]
        if len(holders) == 1 or any(field in targets for targets in computed):
            return None
        ways = {
            (self._direct_moves(position, unit, field), position.paths.below(unit.types))
            for unit in holders
        }
        if len(ways) > 1:
            return None
        types = frozenset[str]().union(*(unit.types for unit in holders))
        return Unit(types, holders[0].representative, (field,), holders[0].reach)

    def _direct_moves(
        self, position: Position, unit: Unit, field: OpField
    ) -> tuple[tuple[View, FieldMove | None], ...]:
        name = unit.representative
        return tuple(
            (view, self._graph.field_move(view.node, name, field.name))
            for view in self.direct(position, unit, field)
        )
