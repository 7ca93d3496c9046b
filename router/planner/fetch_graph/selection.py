"""The selection of a fetch while it grows, and its final form.

Fields are kept with the set of runtime types they are wanted for. Only when the selection is
finished does it get fragments: a field wanted for every type the subgraph may return there stands
on the abstract type itself, any other in a fragment per type. So no subgraph is asked about a type
or a field it does not have.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from router.planner.fetch_graph.demand import Demand, common_conditions
from router.planner.plan import FieldSelection, FragmentSelection
from router.query_graph import TYPENAME
from router.supergraph import TypeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.planner.plan import SelectionSet
    from router.query_graph import Conditions
    from router.supergraph import Supergraph

__all__ = ["ENTITY_ROOT", "Entry", "SelectionBuilder", "Wanted"]

ENTITY_ROOT = "_Entity"  # the union every entity call returns; every type needs a fragment below it


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field to select: its key in the client's answer, and what to ask the subgraph."""

    output_key: str
    name: str
    arguments: str
    variables: frozenset[str]


@dataclass(slots=True, eq=False)
class Entry:
    """One field of a growing selection."""

    wanted: Wanted
    types: frozenset[str]
    selection: SelectionBuilder | None
    demands: set[Demand] = field(default_factory=set)


class SelectionBuilder:
    """The selection on one object in one fetch."""

    def __init__(self, subgraph: str, static_type: str) -> None:
        self.subgraph = subgraph
        self.static_type = static_type
        self._entries: dict[tuple[Wanted, frozenset[str]], Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def select(self, wanted: Wanted, types: frozenset[str], target: str | None) -> Entry:
        """The entry of a field, added when it is new; ``target`` is its type in the subgraph, None
        for a leaf.
        """
        key = (wanted, types)
        entry = self._entries.get(key)
        if entry is None:
            below = SelectionBuilder(self.subgraph, target) if target is not None else None
            entry = self._entries[key] = Entry(wanted, types, below)
        return entry

    def demands(self) -> set[Demand]:
        """The demands on everything selected here; those of nested fields reach up to their
        parents.
        """
        return {demand for entry in self._entries.values() for demand in entry.demands}

    def finish(self, supergraph: Supergraph, inherited: Conditions) -> SelectionSet:
        """The final selection set, without the conditions in ``inherited``, which hold already."""
        return _Finisher(supergraph, self, inherited).finish()

    @property
    def entries(self) -> Sequence[Entry]:
        """The fields in the order they were selected."""
        return tuple(self._entries.values())


class _Finisher:
    """Turns one object's entries into fields and fragments."""

    def __init__(
        self, supergraph: Supergraph, builder: SelectionBuilder, inherited: Conditions
    ) -> None:
        self._supergraph = supergraph
        self._builder = builder
        self._inherited = inherited
        self._static = supergraph.types.get(builder.static_type)

    def finish(self) -> SelectionSet:
        fields = self._merge_equal(self._without_conflicts(self._fields()))
        if self._static is not None and not self._is_abstract():
            return tuple(selection for selection, _ in fields)
        return (*self._typename(), *self._with_fragments(fields))

    def _is_abstract(self) -> bool:
        static = self._static
        if static is None:
            return True
        join = static.joins.get(self._builder.subgraph)
        return static.is_abstract and not (join is not None and join.interface_object)

    def _typename(self) -> SelectionSet:
        """Where the runtime type is open it is always asked for: everything that reads the object
        needs it.
        """
        if self._static is None:
            return ()
        return (FieldSelection(name=TYPENAME, response_key=TYPENAME, output_key=TYPENAME),)

    def _fields(self) -> list[tuple[FieldSelection, frozenset[str]]]:
        result = []
        for entry in self._builder.entries:
            if self._is_abstract() and entry.wanted == _TYPENAME and self._static is not None:
                continue
            conditions = common_conditions(entry.demands)
            below: SelectionSet = ()
            if entry.selection is not None:
                below = entry.selection.finish(self._supergraph, self._inherited | conditions)
            wanted = entry.wanted
            selection = FieldSelection(
                name=wanted.name,
                response_key=wanted.output_key.removeprefix("_")
                if wanted.output_key.startswith("__") and wanted.output_key != TYPENAME
                else wanted.output_key,
                output_key=wanted.output_key,
                arguments=wanted.arguments,
                variables=wanted.variables,
                conditions=tuple(sorted(conditions - self._inherited)),
                selections=below,
            )
            result.append((selection, entry.types))
        return result

    def _without_conflicts(
        self, fields: list[tuple[FieldSelection, frozenset[str]]]
    ) -> list[tuple[FieldSelection, frozenset[str]]]:
        """Rename fields that share a response key but not a shape in this subgraph.

        The operation is valid for the supergraph, whose types may be wider; the subgraph would
        refuse it.
        """
        kept: list[tuple[FieldSelection, frozenset[str]]] = []
        names = (f"_{n}" for n in count(1))
        for selection, types in fields:
            conflicting = any(
                other.response_key == selection.response_key
                and self._conflict(other, other_types, selection, types)
                for other, other_types in kept
            )
            renamed = selection
            if conflicting:
                renamed = replace(selection, response_key=selection.response_key + next(names))
            kept.append((renamed, types))
        return kept

    def _conflict(
        self,
        one: FieldSelection,
        one_types: frozenset[str],
        other: FieldSelection,
        other_types: frozenset[str],
    ) -> bool:
        if one_types & other_types:
            return (one.name, one.arguments) != (other.name, other.arguments)
        shapes = self._shapes(one, one_types) | self._shapes(other, other_types)
        if len(shapes) > 1:
            return True
        below = {s.response_key: s for s in _fields_below(one.selections)}
        return any(
            s.response_key in below and _leaf_conflict(below[s.response_key], s)
            for s in _fields_below(other.selections)
        )

    def _shapes(self, selection: FieldSelection, types: frozenset[str]) -> set[str]:
        shapes = set()
        for name in types:
            definition = self._supergraph.types[name].fields.get(selection.name)
            join = definition.joins.get(self._builder.subgraph) if definition else None
            if join is not None:
                shape = join.nullable_shape
                # Composite types only have to agree in their lists and nullability.
                shapes.add(shape.replace(join.type_name, "_") if selection.selections else shape)
        return shapes

    def _merge_equal(
        self, fields: list[tuple[FieldSelection, frozenset[str]]]
    ) -> list[tuple[FieldSelection, frozenset[str]]]:
        merged: dict[FieldSelection, frozenset[str]] = {}
        for selection, types in fields:
            merged[selection] = merged.get(selection, frozenset()) | types
        return list(merged.items())

    def _with_fragments(self, fields: list[tuple[FieldSelection, frozenset[str]]]) -> SelectionSet:
        possible = self._possible()
        direct: list[FieldSelection] = []
        by_type: dict[str, list[FieldSelection]] = {}
        for selection, types in fields:
            if possible is not None and possible <= types and self._has(selection.name):
                direct.append(selection)
                continue
            for name in sorted(types if possible is None else types & possible):
                by_type.setdefault(name, []).append(selection)
        fragments = [
            FragmentSelection(type_condition=name, selections=tuple(selections))
            for name, selections in by_type.items()
        ]
        return (*direct, *fragments)

    def _possible(self) -> frozenset[str] | None:
        if self._static is None:
            return None
        return self._supergraph.possible_types_in(self._builder.subgraph, self._static.name)

    def _has(self, name: str) -> bool:
        """Whether the abstract type itself has the field in this subgraph."""
        if name == TYPENAME:
            return True
        if self._static is None or self._static.kind is not TypeKind.INTERFACE:
            return False
        definition = self._static.fields.get(name)
        return definition is not None and self._builder.subgraph in definition.joins


_TYPENAME = Wanted(TYPENAME, TYPENAME, "", frozenset())


def _fields_below(selections: SelectionSet) -> list[FieldSelection]:
    result: list[FieldSelection] = []
    for selection in selections:
        if isinstance(selection, FieldSelection):
            result.append(selection)
        else:
            result.extend(_fields_below(selection.selections))
    return result


def _leaf_conflict(one: FieldSelection, other: FieldSelection) -> bool:
    """Nested fields under one key that are not the same call: the parents must not share a key
    either.
    """
    if (one.name, one.arguments) != (other.name, other.arguments):
        return True
    below = {s.response_key: s for s in _fields_below(one.selections)}
    return any(
        s.response_key in below and _leaf_conflict(below[s.response_key], s)
        for s in _fields_below(other.selections)
    )
