"""Which moves to make for a selection: the search that planning and the satisfiability check share.

At a position we *have* views of the object (the subgraphs that delivered it) and want the fields of
a unit. The only decision is which further subgraphs to enter there: a child is then seen by every
subgraph that has its parent and resolves the field. So the search is a dynamic programme over
(unit, views): for each set of entries, their cost plus the best cost of every child under the views
that result. Entries need keys, and computed fields need requirements; both are units again, planned
from the same views. Going back to a parent entity, or to the root, for a child that has no key is
nothing special here: the parent's unit may enter a further subgraph for the child's sake.

Cycles are judged on fields: a key or a requirement may not need itself, whatever subgraphs lie
between.

Cost: memoised per (unit, views) and the guards met (``guards``); exact over the entry sets while
there are at most ``MAX_COMBINATIONS`` of them, greedy beyond. Keys are looked for in the order in
which subgraphs can be entered (``entry_order``). What still grows without measure ends with
``SearchLimitError``.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, TypeAlias

from router.query_graph.choices import (
    FREE,
    Choice,
    Cost,
    Entry,
    Need,
    Way,
    assignment,
    combinations,
)
from router.query_graph.entry_order import entry_order
from router.query_graph.graph import KeyMove, QueryGraph, ViewNode
from router.query_graph.guards import NO_GUARD, Guard, Limits, Memo, TokenLog
from router.query_graph.selections import OpField, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from router.query_graph.units import Units

__all__ = [
    "MAX_EVALUATIONS",
    "Paths",
    "SearchLimitError",
]

MAX_EVALUATIONS = 100_000  # about two seconds

Views: TypeAlias = frozenset[ViewNode]


class SearchLimitError(Exception):
    """The search has weighed as many choices as it may, and has not ended."""


class _Family:
    """What the searches of one operation share: they call each other, and count together."""

    def __init__(self, max_evaluations: int) -> None:
        self.max_evaluations = max_evaluations
        self.evaluations = 0
        self.tokens = TokenLog()
        self.members: dict[frozenset[int], Paths] = {}


class Paths:
    """The search for one operation (or one composition check). Keeps what it found.

    ``values`` are the contextual values that the objects above a position give to it, by number.
    Under other objects other fields can be computed, so for each such set there is a search of its
    own: ``below`` leads from one to the next. Without contexts there is only one.

    After ``max_evaluations`` choices weighed, every search raises SearchLimitError.
    """

    def __init__(
        self, graph: QueryGraph, units: Units, max_evaluations: int = MAX_EVALUATIONS
    ) -> None:
        self.graph = graph
        self.units = units
        self.values: frozenset[int] = frozenset()
        self._family = _Family(max_evaluations)
        self._family.members[self.values] = self
        self._forget()

    def _forget(self) -> None:
        self._choices: Memo[Choice | None] = Memo(self._family.tokens)
        self._entries: Memo[Entry | None] = Memo(self._family.tokens)
        self._orders: dict[tuple[str, Views], Mapping[KeyMove, Views]] = {}
        self._visible: dict[tuple[OpField, str, Views], tuple[Unit, ...]] = {}
        self._closures: dict[tuple[str, Views], Views] = {}

    @property
    def evaluations(self) -> int:
        """How many choices have been weighed, under whatever values."""
        return self._family.evaluations

    def below(self, types: frozenset[str]) -> Paths:
        """The search at the positions below objects of the given runtime types."""
        own = self.graph.context_values(types)
        return self.under(self.values | own) if own else self

    def under(self, values: frozenset[int]) -> Paths:
        """The search at positions to which the objects above give exactly these values."""
        members = self._family.members
        if values not in members:
            members[values] = found = copy(self)
            found.values = values
            found._forget()
        return members[values]

    # -- choices ---------------------------------------------------------------------------------

    def choose(self, unit: Unit, have: Views, guard: Guard = NO_GUARD) -> Choice | None:
        """The cheapest way to get everything a unit wants from the given views; None when there is
        none.
        """
        key = (unit, have, guard.limits_at(unit.representative, have))
        return self._choices.get(key, guard, lambda: self._choose(unit, have, guard))

    def _choose(self, unit: Unit, have: Views, guard: Guard) -> Choice | None:
        needs = self._needs(unit, have, guard)
        if needs is None:
            return None
        best: Choice | None = None
        for combination in combinations(needs):
            entries, computed = assignment(combination)
            best = self._better(best, self._evaluate(unit, have, guard, entries, computed))
        if best is None:
            best = self._with_needed_views(unit, have, guard, needs)
        if best is None:
            return None
        return self._with_more_views(unit, have, guard, best)

    def _with_needed_views(
        self, unit: Unit, have: Views, guard: Guard, needs: Sequence[Need]
    ) -> Choice | None:
        """Children cannot be had from the views of their parent: enter further subgraphs here.

        All that resolve the parent's field are tried together, then those left out that are not
        missed.
        """
        best: Choice | None = None
        for combination in combinations(needs):
            entries, computed = assignment(combination)
            more = self._sharing(unit, have, entries, guard)
            choice = self._evaluate(unit, have, guard, (*entries, *more), computed)
            if choice is None:
                continue
            for target in reversed(more):
                fewer = tuple(t for t in choice.entries if t != target)
                without = self._evaluate(unit, have, guard, fewer, computed)
                choice = self._better(without, choice) or choice
            best = self._better(best, choice)
        return best

    def _needs(self, unit: Unit, have: Views, guard: Guard) -> list[Need] | None:
        type_name = unit.representative
        grouped: dict[tuple[Way, ...], list[OpField]] = {}
        for field in unit.fields:
            if self.direct_views(have, type_name, field):
                continue
            ways = tuple(
                way
                for way in self._ways(type_name, field, have, guard)
                if self._is_feasible(way, type_name, field, have, guard)
            )
            if not ways:
                return None
            grouped.setdefault(ways, []).append(field)
        return [Need(ways, tuple(fields)) for ways, fields in grouped.items()]

    def direct_views(
        self, have: Iterable[ViewNode], type_name: str, field: OpField
    ) -> list[ViewNode]:
        """The views that resolve a field with nothing else needed."""
        return [
            view
            for view in have
            if (move := self.graph.field_move(view, type_name, field.name))
            and not move.is_computed
            and self.graph.is_source(view, type_name, field.name, field.asked_on)
        ]

    def _ways(self, type_name: str, field: OpField, have: Views, guard: Guard) -> list[Way]:
        ways: dict[Way, None] = {}
        limits = guard.limits_at(type_name, have)
        for move in self.moves(type_name, have):
            if limits is not None and move.target not in limits.targets:
                continue
            field_move = self.graph.field_move(move.target, type_name, field.name)
            if field_move is not None and self.graph.is_source(
                move.target, type_name, field.name, field.asked_on
            ):
                ways[Way(move.target, field_move.is_computed)] = None
        return list(ways)

    def moves(self, type_name: str, have: Views) -> tuple[KeyMove, ...]:
        """The entries worth trying: by key, or into any root where an operation begins.

        A field may return the query root. It is the same everywhere, so all subgraphs can be
        entered there as well.
        """
        graph = self.graph
        if type_name == graph.query_name or (
            type_name in graph.root_names and all(view.root for view in have)
        ):
            return graph.root_moves(type_name)
        return graph.key_moves(type_name)

    def _is_feasible(
        self, way: Way, type_name: str, field: OpField, have: Views, guard: Guard
    ) -> bool:
        if way.computed:
            return self._computed(type_name, field, way.target, have, guard) is not None
        return self.entry(type_name, have, way.target, guard) is not None

    def entry(self, type_name: str, have: Views, target: ViewNode, guard: Guard) -> Entry | None:
        """The cheapest key by which to enter a subgraph from the given views."""
        key = (type_name, have, target, guard.limits_at(type_name, have))
        return self._entries.get(
            key, guard, lambda: self._find_entry(type_name, have, target, guard)
        )

    def _find_entry(
        self, type_name: str, have: Views, target: ViewNode, guard: Guard
    ) -> Entry | None:
        best: Entry | None = None
        for move in self.moves(type_name, have):
            if move.target != target:
                continue
            entry = self._cost_of_move(type_name, have, move, guard)
            if entry and (best is None or entry.cost.rank < best.cost.rank):
                best = entry
        return best

    def _cost_of_move(
        self, type_name: str, have: Views, move: KeyMove, guard: Guard
    ) -> Entry | None:
        target = move.target
        if move.key is None:
            return Entry(move, Cost(frozenset({target.subgraph}), 0, 1), frozenset({target}))
        inside = self.key_guard(type_name, have, move, guard)
        if inside is None:
            return None
        unit = self.units.field_set(type_name, move.key.selection)
        choice = self.choose(unit, have, inside)
        if choice is None:
            return None
        visits = choice.cost.visits | {target.subgraph}
        cost = Cost(visits, choice.cost.below, choice.cost.depth + 1)
        return Entry(move, cost, frozenset({target, *choice.entries}))

    def key_guard(self, type_name: str, have: Views, move: KeyMove, guard: Guard) -> Guard | None:
        """The guard under which a move's key is planned; None when it may not be."""
        assert move.key is not None
        target = move.target
        token = ("key", type_name, target.subgraph, target.type_name, move.key.text)
        if not self._family.tokens.admits(token, guard):
            return None
        if (type_name, have) not in self._orders:
            self._orders[type_name, have] = entry_order(self, type_name, have)
        before = self._orders[type_name, have].get(move)
        if before is None:
            return guard.with_token(token)
        around = guard.limits_at(type_name, have)
        if around is not None and not before < around.targets:
            return None  # not before what all this is for
        return guard.with_token(token, Limits(type_name, have, before))

    def _computed(
        self, type_name: str, field: OpField, target: ViewNode, have: Views, guard: Guard
    ) -> Cost | None:
        """What a computed field costs: its requirement, a key, and one visit.

        What its contexts need is got from the objects above and does not count here.
        """
        move = self.graph.field_move(target, type_name, field.name)
        if move is None or not move.is_computed:
            return None
        if not self.values.issuperset(argument.number for argument in move.contexts):
            return None
        token = ("requires", type_name, field.name, target.subgraph)
        if not self._family.tokens.admits(token, guard):
            return None
        guard = guard.with_token(token)
        entry = self.entry(type_name, have, target, guard)
        if entry is None:
            return None
        required = FREE
        if move.requires is not None:
            needed = self.choose(self.units.field_set(type_name, move.requires), have, guard)
            if needed is None:
                return None
            required = needed.cost
        # A first visit can carry the requirement along, unless the requirement itself needs that
        # visit.
        again = target.subgraph in required.visits
        visit = f"{target.subgraph} again" if again else target.subgraph
        depth = max(required.depth, entry.cost.depth - 1) + 1
        keys = entry.cost.visits - {target.subgraph}
        cost = required.plus(Cost(keys, entry.cost.below, 0))
        return Cost(cost.visits | {visit}, cost.below, depth)

    # -- evaluation ------------------------------------------------------------------------------

    def _evaluate(
        self,
        unit: Unit,
        have: Views,
        guard: Guard,
        targets: tuple[ViewNode, ...],
        computed: tuple[tuple[OpField, ViewNode], ...],
    ) -> Choice | None:
        self._count_evaluation()
        type_name = unit.representative
        cost = FREE
        active: Views = have
        found: list[tuple[int, ViewNode]] = []
        for target in targets:
            entry = self.entry(type_name, have, target, guard)
            if entry is None:
                return None
            cost = cost.plus(entry.cost)
            active |= entry.views
            found.append((entry.cost.depth, target))
        for field, target in computed:
            extra = self._computed(type_name, field, target, active, guard)
            if extra is None:
                return None
            cost = cost.plus(extra)
        below = self._below(unit, active, dict(computed), guard)
        if below is None:
            return None
        total = Cost(cost.visits, cost.below + below.below, cost.depth + below.depth)
        ordered = tuple(target for _, target in sorted(found, key=lambda item: item[0]))
        return Choice(total, ordered, computed)

    def _count_evaluation(self) -> None:
        family = self._family
        family.evaluations += 1
        if family.evaluations > family.max_evaluations:
            raise SearchLimitError

    def _below(
        self, unit: Unit, active: Views, computed: dict[OpField, ViewNode], guard: Guard
    ) -> Cost | None:
        total = FREE
        for field in unit.fields:
            if not field.sources:
                continue
            cost = self._cost_of_children(unit, field, active, computed.get(field), guard)
            if cost is None:
                return None
            total = total.plus(cost)
        return total

    def _cost_of_children(
        self,
        unit: Unit,
        field: OpField,
        active: Views,
        computed_in: ViewNode | None,
        guard: Guard,
    ) -> Cost | None:
        views = self.child_views(unit.representative, field, active, computed_in)
        below = self.below(unit.types)
        total = FREE
        for child in self.children(unit, field, active, guard):
            seeing = frozenset(v for v in views if self.graph.sees(v, child.representative))
            if not seeing:
                continue  # nobody who gives us the object knows the type: it cannot occur here
            choice = below.choose(child, seeing, guard)
            if choice is None:
                return None
            total = total.plus(Cost(frozenset(), choice.cost.rank[0], choice.cost.depth))
        return total

    def child_views(
        self,
        type_name: str,
        field: OpField,
        active: Iterable[ViewNode],
        computed_in: ViewNode | None = None,
    ) -> list[ViewNode]:
        """The views of a field's value under the given views of its parent."""
        if computed_in is not None:
            move = self.graph.field_move(computed_in, type_name, field.name)
            return [move.target] if move and move.target else []
        moves = (
            self.graph.field_move(view, type_name, field.name)
            for view in self.direct_views(active, type_name, field)
        )
        return [move.target for move in moves if move and move.target]

    def is_answerable_on_interface(
        self, interface: str, field: str, views: Iterable[ViewNode]
    ) -> bool:
        """Whether one of several views alone leads to an interface's field for every type it sees.

        A field asked on an interface has one meaning. Piecing it together, one runtime type from
        this subgraph and another from that, would answer with what each of them disowns (external
        fields of implementations): such a field has no plan.
        """
        wanted = OpField(output_key=field, name=field, asked_on=interface)
        for view in views:
            seen = self.graph.supergraph.possible_types_in(view.subgraph, view.type_name)
            if all(
                self.choose(Unit(frozenset({name}), name, (wanted,)), frozenset({view}))
                for name in seen
            ):
                return True
        return False

    # -- what alternatives rule out --------------------------------------------------------------

    def children(
        self, unit: Unit, field: OpField, have: Views, guard: Guard = NO_GUARD
    ) -> tuple[Unit, ...]:
        """The units of a composite field's value that can be asked for from the given views.

        Where several subgraphs could answer the field, they need not agree about which types its
        value may have. A fragment on a type that one of the alternatives cannot return there is not
        followed: such an object comes back with its type and without the fragment's fields. That is
        what Apollo's planner answers; the alternatives count, not the choice between them.
        """
        if guard.tokens:
            return self.units.children(unit, field)
        whole = self._as_interface(unit, field, have)
        if whole is not None:
            return (whole,)
        reach = self._child_reach(unit, field)
        key = (field, self.units.declared(unit, field), reach)
        if key not in self._visible:
            self._visible[key] = self._ruled(self.units.children(unit, field), key[1], reach)
        return self._visible[key]

    def _child_reach(self, unit: Unit, field: OpField) -> Views:
        """Every view of a field's value that some plan could have, whatever is chosen above."""
        name = unit.representative
        if (name, unit.reach) not in self._closures:
            entered = {
                move.target
                for move in self.moves(name, unit.reach)
                if self.entry(name, unit.reach, move.target, NO_GUARD) is not None
            }
            self._closures[name, unit.reach] = unit.reach | entered
        moves = (
            self.graph.field_move(view, name, field.name)
            for view in self._closures[name, unit.reach]
        )
        return frozenset(move.target for move in moves if move and move.target)

    def _as_interface(self, unit: Unit, field: OpField, have: Views) -> Unit | None:
        """The value as one unit, where all views have an interface object and none need know more.

        The runtime type is not known there, and learning it would cost a fetch.
        """
        views = self.child_views(unit.representative, field, have)
        if not views or not all(map(self.graph.is_interface_object, views)):
            return None
        whole = self.units.child_as_interface(unit, field)
        if whole is None or self.below(unit.types).choose(whole, frozenset(views)) is None:
            return None
        return whole

    def _ruled(self, units: tuple[Unit, ...], declared: str, reach: Views) -> tuple[Unit, ...]:
        known = [view for view in reach if not self.graph.is_interface_object(view)]
        choice = len({view.subgraph for view in known}) > 1
        if not self.graph.supergraph.types[declared].is_abstract:
            choice = False
        result = []
        for unit in units:
            fields = tuple(
                field
                for field in unit.fields
                if not choice
                or field.asked_on == declared
                or all(self.graph.may_be(view, field.asked_on) for view in known)
            )
            seeing = frozenset(v for v in reach if self.graph.sees(v, unit.representative))
            if fields:
                result.append(Unit(unit.types, unit.representative, fields, seeing))
        return tuple(result)

    def _with_more_views(self, unit: Unit, have: Views, guard: Guard, best: Choice) -> Choice:
        """Enter further subgraphs where that makes the children cheaper than it costs."""
        while best.cost.below:
            improved = best
            for target in self._sharing(unit, have, best.entries, guard):
                entries = (*best.entries, target)
                other = self._evaluate(unit, have, guard, entries, best.computed)
                improved = self._better(improved, other) or improved
            if improved is best:
                break
            best = improved
        return best

    def _sharing(
        self, unit: Unit, have: Views, entries: Sequence[ViewNode], guard: Guard
    ) -> list[ViewNode]:
        """Subgraphs not yet entered that resolve one of the unit's composite fields as well."""
        if unit.representative in self.graph.once_only and (have or entries):
            return []  # a mutation must not run twice
        known = {view.subgraph for view in (*have, *entries)}
        targets = dict.fromkeys(move.target for move in self.moves(unit.representative, have))
        return [
            target
            for target in targets
            if target.subgraph not in known
            and self.entry(unit.representative, have, target, guard) is not None
            and any(
                f.sources and self.direct_views((target,), unit.representative, f)
                for f in unit.fields
            )
        ]

    @staticmethod
    def _better(one: Choice | None, other: Choice | None) -> Choice | None:
        if one is None or other is None:
            return one or other
        return other if other.cost.rank < one.cost.rank else one
