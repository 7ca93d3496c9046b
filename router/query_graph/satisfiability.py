"""Whether every query of a supergraph can be planned.

Walks the API's fields from the roots. A state is an object type and the views through which some
query reaches it; from each state every field must be had, by a direct move, an entry or a
requirement. States repeat, so the walk ends: there are finitely many views of a type.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from router.query_graph.guards import NO_GUARD
from router.query_graph.paths import Paths
from router.query_graph.selections import OpField, Unit
from router.query_graph.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from router.query_graph.graph import QueryGraph, ViewNode

__all__ = ["Unsatisfiable", "find_unsatisfiable"]

MAX_EVALUATIONS = 1_000_000


_NOWHERE: Final[frozenset[ViewNode]] = frozenset()


@dataclass(frozen=True, slots=True)
class _State:
    """``values`` are the contextual values that the objects on the path give, by number."""

    type_name: str
    views: frozenset[ViewNode]
    path: tuple[
        tuple[str, str | None], ...
    ]  # (field, runtime type of its value where that matters)
    values: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """A field that a query can ask for and nobody can give: an example, and why, per subgraph."""

    coordinate: str
    query: str
    reasons: tuple[tuple[str, tuple[str, ...]], ...]  # (subgraph, what does not work from there)
    subgraphs: tuple[str, ...]


def find_unsatisfiable(
    graph: QueryGraph, limit: int = 20, max_evaluations: int = MAX_EVALUATIONS
) -> Iterator[Unsatisfiable]:
    """Every field that some query could not be planned for, each coordinate once, at most
    ``limit``.

    Raises:
        SearchLimitError: more choices than ``max_evaluations`` would have to be weighed.
    """
    yield from _Walk(graph, max_evaluations).run(limit)


class _Walk:
    def __init__(self, graph: QueryGraph, max_evaluations: int) -> None:
        self._graph = graph
        self._units = Units(graph)
        self._paths = Paths(graph, self._units, max_evaluations)
        self._fields: dict[tuple[str, str], Unit] = {}
        self._visible: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str], list[str]] = {}
        self._offered: dict[tuple[str, ViewNode], frozenset[tuple[str, ViewNode | None]]] = {}
        self._below: dict[tuple[str, ViewNode], tuple[tuple[str, ViewNode], ...]] = {}

    def run(self, limit: int) -> Iterator[Unsatisfiable]:
        seen: set[tuple[object, ...]] = set()
        walked: set[tuple[object, ...]] = set()
        reported: set[str] = set()
        queue = deque(self._roots())
        while queue and len(reported) < limit:
            state = queue.popleft()
            key = (state.type_name, state.views, state.values)
            if key in seen:
                continue
            seen.add(key)
            if not self._type_is_known(state):
                if state.type_name not in reported:
                    reported.add(state.type_name)
                    yield _unknown_type(state)
                continue
            entered = self._entered(state)
            reach = state.views | entered
            # Subgraphs that only refer to an entity make many states that offer nothing new.
            views = entered | self._offering_more(state, entered)
            offering = (state.type_name, views, state.values)
            if offering in walked:
                continue
            walked.add(offering)
            targets = self._targets(state, reach)
            below = self._values_below(state)
            for name in self._visible_fields(state.type_name):
                coordinate = f"{state.type_name}.{name}"
                if self._is_given(state, name):
                    queue.extend(self._next(state, name, targets.get(name, _NOWHERE), below))
                elif coordinate not in reported:
                    reported.add(coordinate)
                    yield self._explain(state, reach, name)

    def _paths_of(self, state: _State) -> Paths:
        return self._paths.under(state.values)

    def _values_below(self, state: _State) -> frozenset[int]:
        """The contextual values at the positions below a state: those that its object sets replace
        those from further up, even where they cannot be had.
        """
        own = self._graph.context_values(frozenset({state.type_name}))
        if not own:
            return state.values
        paths = self._paths_of(state)
        given = self._graph.supergraph.context_values
        had = (
            number
            for number in own
            if paths.choose(
                self._units.field_set(state.type_name, given[number].selection), state.views
            )
        )
        return (state.values - own) | frozenset(had)

    def _roots(self) -> Iterator[_State]:
        for kind, name in self._graph.supergraph.root_types.items():
            yield _State(name, frozenset(), ((kind, None),))

    def _visible_fields(self, type_name: str) -> list[str]:
        # What is inaccessible is never asked for by a client; where a requirement needs it, that is
        # checked there.
        if type_name not in self._visible:
            api = self._graph.supergraph.api_schema.get_type(type_name)
            self._visible[type_name] = sorted(getattr(api, "fields", ()))
        return self._visible[type_name]

    def _unit(self, type_name: str, field: str) -> Unit:
        key = (type_name, field)
        if key not in self._fields:
            wanted = OpField(output_key=field, name=field)
            self._fields[key] = Unit(frozenset({type_name}), type_name, (wanted,))
        return self._fields[key]

    def _type_is_known(self, state: _State) -> bool:
        """Whether the runtime type can be learned where all views have an interface object: from a
        subgraph that has the real interface, by a key of that.
        """
        if not state.views or not all(map(self._graph.is_interface_object, state.views)):
            return True
        moves = (
            move
            for interface in sorted({view.type_name for view in state.views})
            for move in self._graph.key_moves(interface)
            if not self._graph.is_interface_object(move.target)
        )
        return any(
            move.key is not None
            and self._paths.choose(
                self._units.field_set(state.type_name, move.key.selection), state.views
            )
            is not None
            for move in moves
        )

    def _is_given(self, state: _State, name: str) -> bool:
        choice = self._paths_of(state).choose(self._unit(state.type_name, name), state.views)
        return choice is not None and all(
            self._meets_requirement(state, name, view) for _, view in choice.computed
        )

    def _meets_requirement(self, state: _State, name: str, view: ViewNode) -> bool:
        """Whether a requirement can be met from the subgraph that has it, as Apollo demands.

        The planner would often have the required fields before it goes there. But a subgraph that
        cannot be left again, usually as its key is marked external by mistake, is refused.
        """
        type_name = state.type_name
        move = self._graph.field_move(view, type_name, name)
        if move is None or move.requires is None:
            return True
        guard = NO_GUARD.with_token(("requires", type_name, name, view.subgraph))
        required = self._units.field_set(type_name, move.requires)
        return self._paths_of(state).choose(required, frozenset({view}), guard) is not None

    def _entered(self, state: _State) -> frozenset[ViewNode]:
        """All views that can be entered from the state's."""
        paths = self._paths_of(state)
        return frozenset(
            move.target
            for move in paths.moves(state.type_name, state.views)
            if paths.entry(state.type_name, state.views, move.target, NO_GUARD) is not None
        )

    def _offering_more(self, state: _State, entered: frozenset[ViewNode]) -> frozenset[ViewNode]:
        """The state's views that resolve something which no entered view does in the same way."""
        own = state.views - entered
        if not own:
            return own
        known = {offer for view in entered for offer in self._offers(state.type_name, view)}
        return frozenset(view for view in own if not self._offers(state.type_name, view) <= known)

    def _offers(self, type_name: str, view: ViewNode) -> frozenset[tuple[str, ViewNode | None]]:
        key = (type_name, view)
        if key not in self._offered:
            moves = (
                (name, self._graph.field_move(view, type_name, name))
                for name in self._fields_in(type_name, view)
            )
            self._offered[key] = frozenset(
                (name, move.target) for name, move in moves if move and not move.is_computed
            )
        return self._offered[key]

    def _fields_in(self, type_name: str, view: ViewNode) -> list[str]:
        """The fields of a type that the view's subgraph has. (Going through all of them for every
        view would be the slowest part of composing many subgraphs.)
        """
        owner = view.type_name if self._graph.is_interface_object(view) else type_name
        key = (owner, view.subgraph)
        if key not in self._known:
            fields = self._graph.supergraph.types[owner].fields
            for subgraph in self._graph.supergraph.subgraphs:
                self._known[owner, subgraph] = []
            for name, field in fields.items():
                for subgraph in field.joins:
                    self._known[owner, subgraph].append(name)
        return self._known[key]

    def _targets(self, state: _State, reach: frozenset[ViewNode]) -> dict[str, set[ViewNode]]:
        """The views of the fields' values, by field; leaves have none."""
        targets: dict[str, set[ViewNode]] = {}
        for view in reach:
            for name, target in self._moves_below(state.type_name, view):
                targets.setdefault(name, set()).add(target)
        return targets

    def _moves_below(self, type_name: str, view: ViewNode) -> tuple[tuple[str, ViewNode], ...]:
        """A view's moves to fields that are no leaves."""
        key = (type_name, view)
        if key not in self._below:
            moves = (
                (name, self._graph.field_move(view, type_name, name))
                for name in self._fields_in(type_name, view)
            )
            self._below[key] = tuple(
                (name, move.target) for name, move in moves if move and move.target
            )
        return self._below[key]

    def _next(
        self,
        state: _State,
        name: str,
        targets: AbstractSet[ViewNode],
        values: frozenset[int],
    ) -> Iterator[_State]:
        declared = self._graph.supergraph.types[state.type_name].fields[name].type_name
        type_ = self._graph.supergraph.types.get(declared)
        if type_ is None or not type_.is_composite:
            return
        for possible in sorted(self._graph.supergraph.possible_types(declared)):
            views = frozenset(v for v in targets if self._graph.sees(v, possible))
            if views and not self._graph.supergraph.types[possible].inaccessible:
                shown = possible if type_.is_abstract else None
                yield _State(possible, views, (*state.path, (name, shown)), values)

    # -- explaining ------------------------------------------------------------------------------

    def _explain(self, state: _State, reach: frozenset[ViewNode], name: str) -> Unsatisfiable:
        views = reach or state.views
        reasons = tuple(
            dict.fromkeys(
                (view.subgraph, tuple(self._reasons(state, view, name)))
                for view in sorted(views, key=lambda v: v.subgraph)
            )
        )
        return Unsatisfiable(
            coordinate=f"{state.type_name}.{name}",
            query=_example(state.path, name, self._is_composite(state.type_name, name)),
            reasons=reasons,
            subgraphs=tuple(dict.fromkeys(subgraph for subgraph, _ in reasons)),
        )

    def _is_composite(self, type_name: str, name: str) -> bool:
        declared = self._graph.supergraph.types[type_name].fields[name].type_name
        type_ = self._graph.supergraph.types.get(declared)
        return type_ is not None and type_.is_composite

    def _reasons(self, state: _State, view: ViewNode, name: str) -> Iterator[str]:
        type_name = state.type_name
        definition = self._graph.supergraph.types[type_name].fields.get(name)
        join = definition.joins.get(view.subgraph) if definition else None
        coordinate = f"{type_name}.{name}"
        if join is None:
            yield f'cannot find field "{coordinate}".'
        elif join.external:
            yield f'field "{coordinate}" is not resolvable because marked @external.'
        elif join.overridden:
            yield f'field "{coordinate}" is not resolvable because it is overridden.'
        elif not state.values.issuperset(argument.number for argument in join.contexts):
            yield f'could not find a match for required context for field "{coordinate}".'
        elif join.requires is not None:
            doubt = self._doubt(type_name, view)
            yield f'cannot satisfy @require conditions on field "{coordinate}"{doubt}.'
        yield from self._closed(type_name, view.subgraph, name)
        paths = self._paths_of(state)
        for move in paths.moves(type_name, state.views):
            if move.key is None or move.target.subgraph == view.subgraph:
                continue
            if paths.entry(type_name, frozenset({view}), move.target, NO_GUARD) is None:
                yield (
                    f'cannot move to subgraph "{move.target.subgraph}" using '
                    f'@key(fields: "{move.key.text}") of "{move.target.type_name}", the key '
                    f'field(s) cannot be resolved from subgraph "{view.subgraph}".'
                )

    def _doubt(self, type_name: str, view: ViewNode) -> str:
        """The usual reason for an unmet requirement, where it is to be seen."""
        type_ = self._graph.supergraph.types[type_name]
        for key in type_.joins[view.subgraph].keys if view.subgraph in type_.joins else ():
            for selection in key.selection.selections:
                field = type_.fields.get(getattr(getattr(selection, "name", None), "value", ""))
                join = field.joins.get(view.subgraph) if field is not None else None
                if field is not None and join is not None and join.external:
                    return (
                        " (please ensure that this is not due to key field"
                        f' "{field.name}" being accidentally marked @external)'
                    )
        return ""

    def _closed(self, type_name: str, here: str, name: str) -> Iterator[str]:
        """Subgraphs that have the field but cannot be entered at all."""
        type_ = self._graph.supergraph.types[type_name]
        for subgraph, join in type_.fields[name].joins.items():
            keys = type_.joins[subgraph].keys
            if subgraph == here or not join.resolvable or any(key.resolvable for key in keys):
                continue
            why = f'type "{type_name}" has no @key defined in subgraph "{subgraph}".'
            if keys:
                why = (
                    f'none of the @key defined on type "{type_name}" in subgraph "{subgraph}" are '
                    'resolvable (they are all declared with their "resolvable" argument set to '
                    "false)."
                )
            yield (
                f'cannot move to subgraph "{subgraph}", which has field "{type_name}.{name}", '
                f"because {why}"
            )


def _unknown_type(state: _State) -> Unsatisfiable:
    reasons = tuple(
        (
            view.subgraph,
            (
                "no subgraph can be reached to resolve the implementation type of @interfaceObject"
                f' type "{view.type_name}".',
            ),
        )
        for view in sorted(state.views, key=lambda view: view.subgraph)
    )
    return Unsatisfiable(
        coordinate=state.type_name,
        query=_example(state.path, "...", composite=False),
        reasons=reasons,
        subgraphs=tuple(dict.fromkeys(subgraph for subgraph, _ in reasons)),
    )


def _example(path: tuple[tuple[str, str | None], ...], field: str, composite: bool) -> str:
    """The shortest query that asks for the field, indented by two spaces."""
    (kind, _), *steps = path
    opening = ["{" if kind == "query" else f"{kind} {{"]
    depth = 1
    for name, type_ in steps:
        opening.append("  " * depth + f"{name} {{")
        depth += 1
        if type_ is not None:
            opening.append("  " * depth + f"... on {type_} {{")
            depth += 1
    leaf = [f"{field} {{", "  ...", "}"] if composite else [field]
    opening.extend("  " * depth + line for line in leaf)
    opening.extend("  " * level + "}" for level in reversed(range(depth)))
    return "\n".join(opening)
