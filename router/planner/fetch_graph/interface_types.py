"""Who tells the runtime types of objects, where some know them by an interface's name only.

An interface object (``@interfaceObject``) has one name for all types. What depends on the type
waits for a subgraph that has the interface itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.planner.fetch_graph.demand import Demand
from router.planner.fetch_graph.selection import TYPENAME_WANTED
from router.query_graph import TYPENAME
from router.query_graph.guards import NO_GUARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from router.planner.fetch_graph.position import Position, View
    from router.planner.fetch_graph.sight import Sight
    from router.planner.fetch_graph.step import Step
    from router.query_graph import KeyMove, Paths, Unit, ViewNode
    from router.query_graph.guards import Guard

__all__ = ["InterfaceTypes"]


class InterfaceTypes:
    """The types of the objects at a position: whether they matter, are known, and from whom."""

    def __init__(self, paths: Paths, sight: Sight) -> None:
        self._paths = paths
        self._graph = paths.graph
        self._sight = sight

    def must_be_learned(self, position: Position, unit: Unit) -> bool:
        """Whether the type matters here and no view knows it: all have an interface object."""
        return (
            unit.representative != position.declared
            and self.are_unknown(position, unit)
            and self.matter(position, unit)
        )

    def matter(self, position: Position, unit: Unit) -> bool:
        """Whether not everything there may be is asked for the same, or the type itself is."""
        possible = self._graph.supergraph.possible_types(position.declared)
        return unit.types != possible or any(field.name == TYPENAME for field in unit.fields)

    def are_unknown(self, position: Position, unit: Unit) -> bool:
        """Whether all views have an interface object, which has one name for all types."""
        return self.are_interface_objects(self._sight.views(position, unit.types))

    def are_interface_objects(self, views: Sequence[View]) -> bool:
        """Whether none of the views, of which there are some, knows the object's type."""
        return bool(views) and all(self._graph.is_interface_object(v.node) for v in views)

    def follow(self, position: Position, step: Step) -> None:
        """Have a step wait for the types by which its path goes, and by which its objects are told
        apart.
        """
        if not step.any_type and step.types is not None:
            self.tell(position, step.types, Demand(step=step))
        for above, types in position.above():
            if not above.is_every_type(types):
                self.tell(above, types, Demand(step=step))

    def tell(self, position: Position, types: frozenset[str], demand: Demand) -> None:
        """Have somebody say which type the objects have, where who gives them may not know it: an
        interface object has one name for all. Who knows the types is asked for them in any case.
        """
        views = self._sight.views(position, types)
        if not any(self._graph.is_interface_object(view.node) for view in views):
            return
        tellers = [
            view
            for view in views
            if (view.parent is not None or view.step.any_type)
            and not self._graph.is_interface_object(view.node)
        ]
        if position.discovery is not None:
            tellers = [position.discovery]
        if tellers:
            teller = min(tellers, key=lambda v: (not v.is_used(), *self._sight.order(v, NO_GUARD)))
            teller.select(TYPENAME_WANTED, teller.types, None, demand)
            if demand.step is not None:
                demand.step.depends_on.add(teller.step)

    def wanted_by_all(
        self, position: Position, units: Sequence[Unit], guard: Guard
    ) -> Iterator[ViewNode]:
        """The subgraphs that every unit wants to enter, as the interface stands there."""
        choices = [
            position.paths.choose(unit, self._sight.nodes(position, unit), guard) for unit in units
        ]
        wanted = [{e.subgraph for e in choice.entries} if choice else set() for choice in choices]
        for target in dict.fromkeys(m.target for m in self._graph.key_moves(position.declared)):
            views = self._sight.views(position, frozenset())  # more by and by
            if all(target.subgraph in own for own in wanted) and not any(
                view.node.subgraph == target.subgraph for view in views
            ):
                yield target

    def cheapest_teller(
        self,
        position: Position,
        everything: Unit,
        units: Sequence[Unit],
        guard: Guard,
        preferred: str | None,
    ) -> KeyMove | None:
        """The way to a subgraph that tells the types after which the least is left to do."""
        have = self._sight.nodes(position, everything)
        best: tuple[tuple[object, ...], KeyMove] | None = None
        for move in self._graph.key_moves(position.declared):
            if self._graph.is_interface_object(move.target) or move.key is None:
                continue
            needed = self._paths.units.field_set(
                everything.representative, move.key.selection, everything.types
            )
            choice = position.paths.choose(needed, have, guard)
            if choice is None:
                continue
            left = self._left_to_do(position, units, move.target, guard)
            fetches, depth = choice.cost.rank
            rank = (fetches + left[0], depth + left[1], move.target.subgraph != preferred)
            if best is None or rank < best[0]:
                best = (rank, move)
        return best[1] if best else None

    def _left_to_do(
        self, position: Position, units: Sequence[Unit], teller: ViewNode, guard: Guard
    ) -> tuple[int, int]:
        """How many fetches, and how many stages of them, what is wanted takes after a subgraph was
        entered that tells the types.
        """
        known = self._graph.supergraph.possible_types_in(teller.subgraph, teller.type_name)
        fetches = depth = 0
        for unit in units:
            have = self._sight.nodes(position, unit)
            choice = position.paths.choose(
                unit, have | {teller} if unit.types <= known else have, guard
            )
            if choice is not None:
                fetches, depth = fetches + choice.cost.rank[0], max(depth, choice.cost.depth)
        return fetches, depth
