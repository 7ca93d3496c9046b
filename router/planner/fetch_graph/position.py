"""Positions of the response, and the views of the object there that fetch steps give.

A position belongs to one field of one unit of its parent. Its views are those its parent's views
lead to, and those of the entity steps that enter here. A view that nobody selects from costs
nothing: its field is selected in the parent's view only when it is first used.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from router.planner.fetch_graph.selection import TYPENAME_WANTED, Wanted
from router.planner.plan import PathField
from router.query_graph import TYPENAME, OpField, Unit, ViewNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.planner.fetch_graph.demand import Demand
    from router.planner.fetch_graph.selection import SelectionBuilder
    from router.planner.fetch_graph.step import Step
    from router.planner.plan import Path
    from router.query_graph import Conditions, Paths

__all__ = ["Position", "View"]


@dataclass(slots=True, eq=False)
class View:
    """The object at a position as one step sees it."""

    node: ViewNode
    step: Step
    types: frozenset[str]  # the runtime types for which the view may be used
    order: int
    selection: SelectionBuilder | None = None  # of an entered view
    parent: View | None = None  # of a view reached through a field
    wanted: Wanted | None = None
    parent_types: frozenset[str] = frozenset()
    declared: str | None = None  # the supergraph's type at the position
    block: Conditions = frozenset()  # the deferrals below which it may be used; none: anywhere

    def select(
        self, wanted: Wanted, types: frozenset[str], target: str | None, demand: Demand
    ) -> None:
        """Select a field of the object, and the way to the object."""
        self._builder(demand).select(wanted, types, target).demands.add(demand)

    def touch(self, demand: Demand) -> None:
        """Have the object itself asked for, whatever becomes of the fields selected on it."""
        self._builder(demand)

    def _builder(self, demand: Demand) -> SelectionBuilder:
        if self.parent is None or self.wanted is None:
            assert self.selection is not None
            return self.selection
        builder = self.parent._builder(demand)
        type_name = self.node.type_name
        entry = builder.select(self.wanted, self.parent_types, type_name, self.declared)
        entry.demands.add(demand)
        assert entry.selection is not None
        return entry.selection

    def is_entered_as(self, node: ViewNode, interface: str) -> bool:
        """Whether a step enters the subgraph of ``node`` with objects of every type."""
        entered = self.parent is None and self.step.any_type and self.node.type_name == interface
        return entered and self.node.subgraph == node.subgraph

    def is_used(self) -> bool:
        """Whether anything is selected through the view."""
        if self.parent is None or self.wanted is None:
            return bool(self.selection)
        if not self.parent.is_used():
            return False
        builder = self.parent._find()
        return builder is not None and any(
            e.wanted == self.wanted and e.types == self.parent_types and e.selection
            for e in builder.entries
        )

    def _find(self) -> SelectionBuilder | None:
        if self.parent is None or self.wanted is None:
            return self.selection
        builder = self.parent._find()
        for entry in builder.entries if builder else ():
            if entry.wanted == self.wanted and entry.types == self.parent_types:
                return entry.selection
        return None


@dataclass(slots=True, eq=False)
class _Output:
    types: frozenset[str]
    name: str
    arguments: str


@dataclass(slots=True, eq=False)
class Position:
    """One place in the response. ``client_units`` is what the client selects there: its keys are
    taken.
    """

    paths: Paths
    declared: str
    path: Path = ()
    parent: Position | None = None
    parent_unit: Unit | None = None
    via: OpField | None = None
    wanted: Wanted | None = None
    client_units: tuple[Unit, ...] = ()
    computed_views: list[View] = field(
        default_factory=list
    )  # of the field itself, where it is computed
    entered: list[View] = field(default_factory=list)
    computing: dict[tuple[frozenset[str], str, ViewNode, Demand], View] = field(
        default_factory=dict
    )  # the view in which a computed field is had, by types, field, place and demand
    discovery: View | None = None  # the view that tells the types, where they were not known
    _reached: dict[View, View | None] = field(default_factory=dict)
    _children: dict[tuple[Wanted, frozenset[str]], Position] = field(default_factory=dict)
    _outputs: dict[str, list[_Output]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for unit in self.client_units:
            for wanted in unit.fields:
                output = _Output(unit.types, wanted.name, wanted.arguments)
                self._outputs.setdefault(wanted.output_key, []).append(output)

    # -- keys ------------------------------------------------------------------------------------

    def wanted_for(self, field_: OpField, types: frozenset[str], fresh: Iterator[int]) -> Wanted:
        """What to select for a field: under the client's key where the client asks for the same,
        else its own.
        """
        if field_.name == TYPENAME:
            return TYPENAME_WANTED
        for key in (field_.output_key, *self._outputs):  # its own key first
            # The same call may stand under the key for several units: together they count.
            same = [
                output.types
                for output in self._outputs.get(key, ())
                if (output.name, output.arguments) == (field_.name, field_.arguments)
            ]
            if same and types <= frozenset[str]().union(*same):
                return Wanted(key, field_.name, field_.arguments, field_.variables)
        key = field_.name
        taken = any(output.types & types for output in self._outputs.get(key, ()))
        if taken or field_.arguments:
            key = f"__{field_.name}_{next(fresh)}"
        self._outputs.setdefault(key, []).append(_Output(types, field_.name, field_.arguments))
        return Wanted(key, field_.name, field_.arguments, field_.variables)

    # -- views -----------------------------------------------------------------------------------

    def views(self, types: frozenset[str], block: Conditions = frozenset()) -> list[View]:
        """The views that may be used for objects of the given runtime types, by what stands below
        the deferrals of ``block``, in the order they arose.
        """
        return [view for view in self._all_views() if types <= view.types and view.block <= block]

    def _all_views(self) -> list[View]:
        graph = self.paths.graph
        if self.parent is None or self.parent_unit is None or self.via is None:
            return self.entered
        if self.computed_views:
            return [*self.computed_views, *self.entered]
        representative = self.parent_unit.representative
        for view in self.parent._all_views():
            if view not in self._reached and self.parent_unit.types <= view.types:
                move = graph.field_move(view.node, representative, self.via.name)
                reached = None
                if move is not None and move.target is not None and not move.is_computed:
                    reached = self._reach(view, move.target)
                self._reached[view] = reached
        reached_views = [view for view in self._reached.values() if view is not None]
        return [*reached_views, *self.entered]

    def _reach(self, view: View, target: ViewNode) -> View:
        assert self.parent_unit is not None
        supergraph = self.paths.graph.supergraph
        return View(
            node=target,
            step=view.step,
            types=supergraph.possible_types_in(target.subgraph, target.type_name),
            order=view.order,
            parent=view,
            wanted=self.wanted,
            parent_types=self.parent_unit.types,
            declared=self.declared,
            block=view.block,
        )

    def compute(self, view: View, target: ViewNode) -> None:
        """The position's field is computed: only the computing view leads here."""
        self.computed_views.append(self._reach(view, target))

    def enter(self, view: View) -> None:
        """Add the view of a step that enters at this position."""
        self.entered.append(view)

    def above(self) -> Iterator[tuple[Position, frozenset[str]]]:
        """The positions above, each with the runtime types of it that lead here."""
        if self.parent is not None and self.parent_unit is not None:
            yield self.parent, self.parent_unit.types
            yield from self.parent.above()

    def is_every_type(self, types: frozenset[str]) -> bool:
        """Whether these are all runtime types that there may be here."""
        return self.paths.graph.supergraph.possible_types(self.declared) <= types

    # -- children --------------------------------------------------------------------------------

    def child(self, unit: Unit, field_: OpField, wanted: Wanted) -> Position:
        """The position of a composite field's value for the objects of one unit."""
        key = (wanted, unit.types)
        if key not in self._children:
            self._children[key] = self._new_child(unit, field_, wanted)
        return self._children[key]

    def _new_child(self, unit: Unit, field_: OpField, wanted: Wanted) -> Position:
        definition = self.paths.graph.supergraph.types[unit.representative].fields[field_.name]
        step = PathField(key=wanted.output_key, list_depth=definition.list_depth)
        client = tuple(
            child
            for own in self.client_units
            if own.types & unit.types or not unit.types
            for asked in own.fields
            if asked.output_key == wanted.output_key and asked.sources
            for child in self.paths.units.children(own, asked)
        )
        return Position(
            paths=self.paths.below(unit.types),
            declared=definition.type_name,
            path=(*self.path_for(unit.types), step),
            parent=self,
            parent_unit=unit,
            via=field_,
            wanted=wanted,
            client_units=client,
        )

    def path_for(self, types: frozenset[str]) -> Path:
        """The path to the objects here that have one of the given runtime types."""
        if not self.path or self.is_every_type(types):
            return self.path
        return (*self.path[:-1], replace(self.path[-1], types=types))
