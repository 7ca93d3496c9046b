"""Builds the fetch graph: makes the moves that :class:`~router.query_graph.Paths` chose.

Per unit: enter the chosen subgraphs (which first needs their keys, units of their own), then select
every field from a view that resolves it, then go on to the children. Steps only ever depend on
steps that were complete before them, so the graph has no cycles; the one exception, a requirement
that joins an existing step, is checked.

What stands below a ``@defer`` is selected last, in steps of its own (``_defer``): steps and views
made for it are not seen by what is wanted sooner.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from router.planner.errors import PlanningError, PlanningErrorCode
from router.planner.fetch_graph.blocks import by_block, key_fields
from router.planner.fetch_graph.contexts import context_places
from router.planner.fetch_graph.demand import Demand, without_deferrals
from router.planner.fetch_graph.interface_types import InterfaceTypes
from router.planner.fetch_graph.position import Position, View
from router.planner.fetch_graph.representations import Representations, merge_representations
from router.planner.fetch_graph.selection import ENTITY_ROOT, TYPENAME_WANTED, SelectionBuilder
from router.planner.fetch_graph.sight import Sight
from router.planner.fetch_graph.step import Step
from router.query_graph import TYPENAME, Entry, KeyMove, OpField, Unit, ViewNode
from router.query_graph.guards import NO_GUARD, Guard
from router.query_graph.missing import find_missing
from router.supergraph import TypeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.planner.fetch_graph.blocks import Later
    from router.planner.fetch_graph.contexts import StepContext
    from router.planner.plan import RepresentationField
    from router.query_graph import Paths

__all__ = ["FetchGraphBuilder"]


class FetchGraphBuilder:
    """Builds the steps of one operation."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._graph = paths.graph
        self._fresh = count()
        self._sight = Sight(paths)
        self._types = InterfaceTypes(paths, self._sight)
        self._representations = Representations(paths, self._sight, self._fresh)
        self.steps: list[Step] = []

    # -- operations ------------------------------------------------------------------------------

    def query(self, root: str, units: Sequence[Unit]) -> None:
        """Plan the root fields of a query: any order, any subgraph, side by side."""
        position = Position(self._paths, root, client_units=tuple(units))
        now, later = by_block(units)
        for unit in now:
            self._resolve(position, unit, Demand(), NO_GUARD)
        self._defer(position, later, Demand(), NO_GUARD)

    def serial(self, root: str, units: Sequence[Unit]) -> None:
        """Plan the root fields of a mutation: one after the other, each in one subgraph, with all
        that follows it.

        Neighbours in one subgraph share a fetch, whose fields that subgraph runs in order.
        """
        before: list[Step] = []
        position: Position | None = None
        current: str | None = None
        for unit in units:
            for field in unit.fields:
                single = Unit(unit.types, unit.representative, (field,))
                choice = self._paths.choose(single, frozenset())
                subgraph = choice.entries[0].subgraph if choice and choice.entries else None
                if position is None or subgraph != current:
                    before = [step for step in self.steps if not step.block]
                    position = Position(self._paths, root, client_units=tuple(units))
                    current = subgraph
                first_new = len(self.steps)
                self._resolve(position, single, Demand(), NO_GUARD)
                for step in self.steps[first_new:]:
                    if step.path is None:
                        step.depends_on.update(before)

    # -- units -----------------------------------------------------------------------------------

    def _resolve(self, position: Position, unit: Unit, demand: Demand, guard: Guard) -> set[Step]:
        """Have everything a unit wants selected; the steps that give it."""
        return self._resolve_all(position, (unit,), demand, guard)

    def _resolve_all(
        self, position: Position, units: Sequence[Unit], demand: Demand, guard: Guard
    ) -> set[Step]:
        """Have everything the units of one position want selected; the steps that give it."""
        are_unknown = all(self._types.are_unknown(position, unit) for unit in units)
        self._learn_types(position, units, guard)
        if are_unknown:
            self._enter_for_all_types(position, units, guard)
        computed = [self._make_entries(position, unit, guard) for unit in units]
        steps: set[Step] = set()
        together: set[OpField] = set()
        for unit, targets in zip(units, computed, strict=True):
            for field in unit.fields:
                if field in together:
                    continue
                inner = demand.under(field.conditions)
                if not inner.is_possible:
                    continue  # below something that is only there when this is not
                target = targets.get(field)
                if target is not None:
                    view = self._compute(position, unit, field, target, inner, guard)
                    steps |= self._select(position, unit, field, view, inner, guard)
                    continue
                whole = self._sight.together(position, units, computed, field)
                if whole is not None:
                    together.add(field)
                view = self._direct_view(position, whole or unit, field, guard)
                steps |= self._select(position, whole or unit, field, view, inner, guard)
            if self._types.matter(position, unit):
                for conditions in {field.conditions for field in unit.fields}:
                    # Who is deferred below a type is known only with the type.
                    self._types.tell(
                        position, unit.types, demand.under(without_deferrals(conditions))
                    )
        return steps

    def _defer(self, position: Position, later: Later, demand: Demand, guard: Guard) -> None:
        """Have selected what is deferred at a position, the outer blocks before those inside."""
        outside = self._sight.block
        for block, units in later:
            self._sight.block = outside | block
            self._resolve_all(position, units, demand, guard)
        self._sight.block = outside

    def _own_view(self, position: Position, unit: Unit, field: OpField, view: View) -> View:
        """A view of a step that only this block waits for: the subgraph is entered anew by a key.

        The view itself where it is such a one already, or where that is not possible or not worth
        it: what the key consists of is there all the same.
        """
        name = unit.representative
        if field.name == TYPENAME or name in self._graph.once_only:
            return view
        if name != position.declared and self._types.are_unknown(position, unit):
            return view
        have = self._sight.nodes(position, unit)
        for move in position.paths.moves(name, have):
            if move.target.subgraph != view.node.subgraph:
                continue
            if self._graph.is_interface_object(move.target) or not position.paths.direct_views(
                (move.target,), name, field
            ):
                continue
            if move.key is not None and field.name in key_fields(move.key):
                return view
            if position.paths.entry(name, have, move.target, NO_GUARD) is not None:
                return self._new_entry(position, unit, move.target, NO_GUARD)
        return view

    def _learn_types(self, position: Position, units: Sequence[Unit], guard: Guard) -> None:
        """Have somebody asked for the types, where something depends on them."""
        for unit in units:
            if self._types.must_be_learned(position, unit):
                self._discover(position, units, guard)

    def _enter_for_all_types(self, position: Position, units: Sequence[Unit], guard: Guard) -> None:
        """Enter the subgraphs that the objects of every type want by the interface, as one: nobody
        waits for somebody who knows the types.
        """
        types = frozenset[str]().union(*(unit.types for unit in units))
        if not types or not position.is_every_type(types):
            return
        everything = Unit(types, position.declared, units[0].fields)
        for target in self._types.wanted_by_all(position, units, guard):
            have = self._sight.nodes(position, everything)
            if position.paths.entry(position.declared, have, target, guard) is not None:
                self._new_entry(position, everything, target, guard)

    def _make_entries(
        self, position: Position, unit: Unit, guard: Guard
    ) -> dict[OpField, ViewNode]:
        """Enter the subgraphs chosen for a unit; which of its fields are to be computed, where."""
        choice = position.paths.choose(unit, self._sight.nodes(position, unit), guard)
        if choice is None:
            raise self._no_plan(position, unit)
        for target in choice.entries:
            self._enter(position, unit, target, guard)
        return dict(choice.computed)

    def _no_plan(self, position: Position, unit: Unit) -> PlanningError:
        below, missing = find_missing(position.paths, unit, self._sight.nodes(position, unit))
        return self._refusal(position, below, " and ".join(missing))

    @staticmethod
    def _refusal(position: Position, below: Sequence[str], missing: str) -> PlanningError:
        where = ".".join([*(step.key for step in position.path), *below]) or "the root"
        return PlanningError(
            PlanningErrorCode.NO_PLAN,
            f"No subgraphs can answer the selection at {where}: no way to {missing}.",
        )

    def _direct_view(self, position: Position, unit: Unit, field: OpField, guard: Guard) -> View:
        candidates = self._sight.direct(position, unit, field)
        if not candidates:
            raise self._no_plan(position, unit)
        view = min(candidates, key=lambda v: self._sight.order(v, guard))
        if view.block == self._sight.block or guard.tokens:
            return view
        return self._own_view(position, unit, field, view)

    def _select(
        self,
        position: Position,
        unit: Unit,
        field: OpField,
        view: View,
        demand: Demand,
        guard: Guard,
    ) -> set[Step]:
        wanted = position.wanted_for(field, unit.types, self._fresh)
        if not field.sources:
            view.select(wanted, unit.types, None, demand)
            return {view.step}
        child = position.child(unit, field, wanted)
        move = self._graph.field_move(view.node, unit.representative, field.name)
        if move and move.is_computed and move.target is not None:
            child.compute(view, move.target)
        if not guard.tokens:
            self._check_interface_fields(child, unit, field)
        units = [
            below
            for below in position.paths.children(
                unit, field, self._sight.nodes(position, unit), guard
            )
            if any(
                self._graph.sees(v.node, below.representative)
                for v in self._sight.views(child, below.types)
            )
        ]
        now, later = by_block(units)
        steps = self._resolve_all(child, now, demand, guard)
        if later and not self._types.are_interface_objects(self._sight.views(child, frozenset())):
            # First, so that what is deferred finds a view that is in use and enters anew. (An
            # interface object has no name that could be asked for.)
            self._ensure_object(child, demand)
        self._defer(child, later, demand, guard)
        steps.add(self._ensure_object(child, demand))
        return steps

    def _check_interface_fields(self, child: Position, unit: Unit, field: OpField) -> None:
        nodes = {view.node for view in self._sight.views(child, frozenset())}
        if len({node.subgraph for node in nodes}) < 2:
            return
        asked = {
            f.name
            for below in self._paths.units.children(unit, field)
            for f in below.fields
            if f.asked_on == child.declared and f.name != TYPENAME
        }
        if self._graph.supergraph.types[child.declared].kind is not TypeKind.INTERFACE:
            return
        for name in sorted(asked):
            if not child.paths.is_answerable_on_interface(child.declared, name, nodes):
                where = ".".join(step.key for step in child.path)
                raise PlanningError(
                    PlanningErrorCode.NO_PLAN,
                    f"No subgraph can answer {child.declared}.{name} at {where} for every type "
                    "it returns there.",
                )

    def _ensure_object(self, child: Position, demand: Demand) -> Step:
        """Some view must say whether there is an object at all, though nothing else may be wanted
        of it.
        """
        reached = [
            view for view in self._sight.views(child, frozenset()) if view.parent is not None
        ]
        used = [view for view in reached if view.is_used()]
        if used:
            view = min(used, key=lambda v: v.block != self._sight.block)
            view.touch(demand)
            return view.step
        view = min(reached, key=lambda v: self._sight.order(v, NO_GUARD))
        view.select(TYPENAME_WANTED, view.types, None, demand)
        return view.step

    # -- entries ---------------------------------------------------------------------------------

    def _enter(self, position: Position, unit: Unit, target: ViewNode, guard: Guard) -> None:
        views = self._sight.views(position, unit.types)
        if any(
            view.node == target or view.is_entered_as(target, position.declared) for view in views
        ):
            return
        if (
            unit.representative != position.declared
            and self._types.are_unknown(position, unit)
            and not self._graph.is_interface_object(target)
        ):
            self._discover(position, (unit,), guard, target.subgraph)
            if any(
                v.node.subgraph == target.subgraph for v in self._sight.views(position, unit.types)
            ):
                return
        self._new_entry(position, unit, target, guard)

    def _new_entry(self, position: Position, unit: Unit, target: ViewNode, guard: Guard) -> View:
        entry, have = self._soonest_entry(position, unit, target, guard)
        # Entered as an interface, or as an interface object: the one fragment names the interface.
        known = self._graph.supergraph.types[target.type_name].is_abstract
        static = target.type_name if known or entry.move.key is None else ENTITY_ROOT
        step = Step(len(self.steps), target.subgraph, SelectionBuilder(target.subgraph, static))
        if entry.move.key is not None:
            step.fragment = target.type_name if known else None
            possible = self._graph.supergraph.possible_types(position.declared)
            # An interface object is sent under one name: who sends all need not know the types.
            step.any_type = unit.representative == position.declared or (
                known and unit.types == possible
            )
            step.typename = entry.move.typename or (position.declared if step.any_type else None)
            self._give_key(position, unit, step, entry.move, have, guard)
        elif position.parent is not None:
            self._enter_root_at(position, unit, step)
        return self._add(position, step, target, unit.types)

    def _soonest_entry(
        self, position: Position, unit: Unit, target: ViewNode, guard: Guard
    ) -> tuple[Entry, frozenset[ViewNode]]:
        """Of the cheapest entries one whose key is there first, and the views that have it."""
        have = self._sight.nodes(position, unit)
        cheapest = position.paths.entry(unit.representative, have, target, guard)
        if cheapest is None:
            raise self._no_plan(position, unit)
        for earlier in self._sight.nodes_by_stage(position, unit):
            entry = position.paths.entry(unit.representative, earlier, target, guard)
            if entry is not None and entry.cost.rank <= cheapest.cost.rank:
                return entry, earlier
        return cheapest, have

    def _add(self, position: Position, step: Step, target: ViewNode, types: frozenset[str]) -> View:
        """Add a complete step. Its key may have needed steps of their own, which come before it."""
        step.id = len(self.steps)
        step.block = self._sight.block
        self.steps.append(step)
        view = View(
            target, step, types, order=step.id, selection=step.selection, block=self._sight.block
        )
        position.enter(view)
        return view

    def _enter_root_at(self, position: Position, unit: Unit, step: Step) -> None:
        """Begin anew at the root: only where the field that returns it gave an object."""
        step.enters_root = step.any_type = True
        step.typename = position.declared
        step.path = position.path_for(unit.types)
        step.types = unit.types
        self._types.follow(position, step)
        step.depends_on.add(self._ensure_object(position, Demand(step=step)))

    def _give_key(
        self,
        position: Position,
        unit: Unit,
        step: Step,
        move: KeyMove,
        have: frozenset[ViewNode],
        guard: Guard,
    ) -> None:
        assert move.key is not None
        inside = position.paths.key_guard(unit.representative, have, move, guard)
        if inside is None:
            raise self._no_plan(position, unit)
        needed = self._paths.units.field_set(unit.representative, move.key.selection, unit.types)
        step.depends_on |= self._resolve(position, needed, Demand(step=step), inside)
        step.path = position.path_for(unit.types)
        step.types = unit.types
        self._types.follow(position, step)
        step.keys = self._representations.of(position, needed, is_key=True)

    # -- interface objects -----------------------------------------------------------------------

    def _discover(
        self, position: Position, units: Sequence[Unit], guard: Guard, preferred: str | None = None
    ) -> None:
        """Enter a subgraph that has the real interface, by the interface's own key, to learn the
        type.

        The representation goes out under the interface's name, the only one that is known.
        """
        supergraph = self._graph.supergraph
        interface = position.declared
        unit = units[0]
        everything = Unit(supergraph.possible_types(interface), unit.representative, unit.fields)
        move = self._types.cheapest_teller(position, everything, units, guard, preferred)
        if move is None:
            raise self._refusal(position, (), f"the types of {interface} objects")
        selection = SelectionBuilder(move.target.subgraph, interface)
        step = Step(len(self.steps), move.target.subgraph, selection)
        step.fragment = step.typename = interface
        step.any_type = True
        have = self._sight.nodes(position, everything)
        self._give_key(position, everything, step, move, have, guard)
        known = supergraph.possible_types_in(move.target.subgraph, interface)
        position.discovery = self._add(position, step, move.target, known)

    # -- computed fields -------------------------------------------------------------------------

    def _compute(
        self,
        position: Position,
        unit: Unit,
        field: OpField,
        target: ViewNode,
        demand: Demand,
        guard: Guard,
    ) -> View:
        """The view in which a field is computed, what it is computed from sent along."""
        # Two requirements may share a third: planned for each, a chain of such would double at
        # every link.
        known = position.computing.get((unit.types, field.name, target, demand))
        if known is None:
            known = self._new_computation(position, unit, field, target, demand, guard)
            position.computing[unit.types, field.name, target, demand] = known
        return known

    def _new_computation(
        self,
        position: Position,
        unit: Unit,
        field: OpField,
        target: ViewNode,
        demand: Demand,
        guard: Guard,
    ) -> View:
        move = self._graph.field_move(target, unit.representative, field.name)
        assert move is not None
        guard = guard.with_token(("requires", unit.representative, field.name, target.subgraph))
        steps: set[Step] = set()
        requires: tuple[RepresentationField, ...] = ()
        if move.requires is not None:
            needed = self._paths.units.field_set(unit.representative, move.requires, unit.types)
            steps |= self._resolve(position, needed, demand, guard)
            requires = self._representations.of(position, needed, is_key=False)
        contexts: list[StepContext] = []
        for place in context_places(position, move.contexts):
            # What limits the search for a key here does not above.
            steps |= self._resolve(place.position, place.needed, demand, Guard(guard.tokens))
            read = self._representations.of(place.position, place.needed, is_key=False)
            contexts.append(place.read(read))
        view = self._joinable(position, unit, target, steps, requires)
        if view is None:
            view = self._new_entry(position, unit, target, guard)
        view.step.depends_on |= steps
        merged = merge_representations(view.step.requires, requires)
        assert merged is not None
        view.step.requires = merged
        view.step.contexts.update(dict.fromkeys(contexts))
        return view

    def _joinable(
        self,
        position: Position,
        unit: Unit,
        target: ViewNode,
        steps: set[Step],
        requires: tuple[RepresentationField, ...],
    ) -> View | None:
        """A step that enters here already and can carry the requirement too."""
        for view in position.entered:
            if view.node != target or view.types != unit.types or view.block != self._sight.block:
                continue
            if any(step.needs(view.step) for step in steps):
                continue  # the requirement itself comes from that step, or from after it
            if merge_representations(view.step.requires, requires) is not None:
                return view
        return None
