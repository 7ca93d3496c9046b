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
from router.planner.plan import ContextualArgument, FieldSelection, FragmentSelection
from router.query_graph import TYPENAME
from router.supergraph import TypeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.planner.fetch_graph.step import Step
    from router.planner.plan import SelectionSet
    from router.query_graph import Conditions
    from router.supergraph import FieldJoin, Supergraph

__all__ = ["ENTITY_ROOT", "TYPENAME_WANTED", "Entry", "SelectionBuilder", "Shape", "Wanted"]

ENTITY_ROOT = "_Entity"  # the union every entity call returns; every type needs a fragment below it


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field to select: its key in the client's answer, and what to ask the subgraph."""

    output_key: str
    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()


TYPENAME_WANTED = Wanted(TYPENAME, TYPENAME)
_EXISTENCE = "__exists"
"""The output key of the name of an interface object: it tells that there is one, not its type."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of a response key in one subgraph; ``below`` the shapes of what it selects.

    GraphQL lets two fields share a key only when their shapes agree (specification 5.3.2,
    SameResponseShape), even where their parents exclude each other.
    """

    type: str
    below: dict[str, Shape] = field(default_factory=dict)

    def agrees(self, other: Shape) -> bool:
        """Whether both may stand under one response key."""
        return self.type == other.type and all(
            shape.agrees(other.below[key])
            for key, shape in self.below.items()
            if key in other.below
        )

    def merge(self, other: Shape) -> Shape:
        """Both under one key; they agree."""
        below = dict(self.below)
        for key, shape in other.below.items():
            below[key] = below[key].merge(shape) if key in below else shape
        return Shape(self.type, below)


@dataclass(slots=True, eq=False)
class Entry:
    """One field of a growing selection."""

    wanted: Wanted
    types: frozenset[str]
    selection: SelectionBuilder | None
    demands: set[Demand] = field(default_factory=set)


class SelectionBuilder:
    """The selection on one object in one fetch."""

    def __init__(self, subgraph: str, static_type: str, declared: str | None = None) -> None:
        self.subgraph = subgraph
        self.static_type = static_type
        self.declared = declared or static_type  # the supergraph's type, which may be wider
        self._entries: dict[tuple[Wanted, frozenset[str]], Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def select(
        self,
        wanted: Wanted,
        types: frozenset[str],
        target: str | None = None,
        declared: str | None = None,
    ) -> Entry:
        """The entry of a field, added when it is new.

        ``target`` is its type in the subgraph, None for a leaf; ``declared`` that in the
        supergraph.
        """
        key = (wanted, types)
        entry = self._entries.get(key)
        if entry is None:
            below = None
            if target is not None:
                below = SelectionBuilder(self.subgraph, target, declared)
            entry = self._entries[key] = Entry(wanted, types, below)
        return entry

    def withdraw(self, gone: frozenset[Step]) -> None:
        """Take back what only steps wanted that are not made after all."""
        for key, entry in list(self._entries.items()):
            left = {demand for demand in entry.demands if demand.step not in gone}
            if not left:
                del self._entries[key]
                continue
            entry.demands = left
            if entry.selection is not None:
                entry.selection.withdraw(gone)
                if not entry.selection:  # whether there is an object is wanted still
                    types = frozenset({entry.selection.static_type})
                    entry.selection.select(TYPENAME_WANTED, types).demands |= left

    def demands(self) -> set[Demand]:
        """The demands on everything selected here; those of nested fields reach up to their
        parents.
        """
        return {demand for entry in self._entries.values() for demand in entry.demands}

    def finish(self, supergraph: Supergraph, inherited: Conditions) -> SelectionSet:
        """The final selection set, without the conditions in ``inherited``, which hold already."""
        return self.finish_with_shapes(supergraph, inherited)[0]

    def finish_with_shapes(
        self, supergraph: Supergraph, inherited: Conditions
    ) -> tuple[SelectionSet, dict[str, Shape]]:
        """The final selection set, and the shape of each of its response keys."""
        return _Finisher(supergraph, self, inherited).finish()

    @property
    def entries(self) -> Sequence[Entry]:
        """The fields in the order they were selected."""
        return tuple(self._entries.values())


@dataclass(frozen=True, slots=True)
class _Finished:
    """A finished field, the runtime types it is for, and its composite type in the subgraph."""

    field: FieldSelection
    types: frozenset[str]
    target: str | None


class _Finisher:
    """Turns one object's entries into fields and fragments."""

    def __init__(
        self, supergraph: Supergraph, builder: SelectionBuilder, inherited: Conditions
    ) -> None:
        self._supergraph = supergraph
        self._builder = builder
        self._inherited = inherited
        self._static = supergraph.types.get(builder.static_type)

    def finish(self) -> tuple[SelectionSet, dict[str, Shape]]:
        shapes: dict[str, Shape] = {}
        fields = self._merge_equal(self._fields(shapes))
        if self._static is not None and not self._is_abstract():
            return tuple(found.field for found in fields), shapes
        return (*self._typename(), *self._with_fragments(fields)), shapes

    def _is_abstract(self) -> bool:
        static = self._static
        if static is None:
            return True
        if self._is_interface_object():
            return False
        # A subgraph may have one object type where the supergraph has a union: the answer is read
        # as the union's, so it has to tell its type all the same.
        return static.is_abstract or self._supergraph.types[self._builder.declared].is_abstract

    def _is_interface_object(self) -> bool:
        join = self._static.joins.get(self._builder.subgraph) if self._static is not None else None
        return join is not None and join.interface_object

    def _typename(self) -> SelectionSet:
        """Where the runtime type is open it is always asked for: everything that reads the object
        needs it.
        """
        if self._static is None:
            return ()
        return (FieldSelection(name=TYPENAME, response_key=TYPENAME, output_key=TYPENAME),)

    def _fields(self, shapes: dict[str, Shape]) -> list[_Finished]:
        result = []
        for entry in self._builder.entries:
            if self._is_abstract() and entry.wanted == TYPENAME_WANTED:
                continue
            selection, shape = self._field(entry)
            key = self._free_key(selection.response_key, shape, shapes)
            shapes[key] = shapes[key].merge(shape) if key in shapes else shape
            target = entry.selection.static_type if entry.selection is not None else None
            result.append(_Finished(replace(selection, response_key=key), entry.types, target))
        return result

    def _field(self, entry: Entry) -> tuple[FieldSelection, Shape]:
        conditions = common_conditions(entry.demands)
        selections: SelectionSet = ()
        below: dict[str, Shape] = {}
        if entry.selection is not None:
            inherited = self._inherited | conditions
            selections, below = entry.selection.finish_with_shapes(self._supergraph, inherited)
        wanted = entry.wanted
        output_key = response_key = wanted.output_key
        if wanted == TYPENAME_WANTED:
            output_key = _EXISTENCE if self._is_interface_object() else TYPENAME
        elif output_key.startswith("__"):
            response_key = output_key[1:]  # names that begin with two underscores are GraphQL's own
        field_ = FieldSelection(
            name=wanted.name,
            response_key=response_key,
            output_key=output_key,
            arguments=wanted.arguments,
            variables=wanted.variables,
            contextual=self._contextual(entry),
            conditions=tuple(sorted(conditions - self._inherited)),
            selections=selections,
        )
        return field_, Shape(self._type_of(entry), below)

    def _free_key(self, key: str, shape: Shape, shapes: dict[str, Shape]) -> str:
        """The key itself, or another where the subgraph would see a conflict of types.

        The operation is valid for the supergraph, whose types may be wider than the subgraph's.
        """
        if key not in shapes or shapes[key].agrees(shape):
            return key
        return next(
            name
            for n in count(1)
            if (name := f"{key}_{n}") not in shapes or shapes[name].agrees(shape)
        )

    def _contextual(self, entry: Entry) -> tuple[ContextualArgument, ...]:
        """The arguments that the subgraph has filled from contexts."""
        if not self._supergraph.context_values:
            return ()
        join = self._join_of(entry)
        arguments = join.contexts if join is not None else ()
        return tuple(ContextualArgument(argument.name, argument.number) for argument in arguments)

    def _type_of(self, entry: Entry) -> str:
        """The field's type in this subgraph; of composite types only lists and nulls count."""
        join = self._join_of(entry)
        if join is None:
            return ""
        type_ = join.nullable_shape
        return type_.replace(join.type_name, "") if entry.selection else type_

    def _join_of(self, entry: Entry) -> FieldJoin | None:
        """How the subgraph has the field: on a type, or on the interface it has as an object."""
        owners = sorted(entry.types)
        if self._static is not None and self._static.is_abstract:
            owners.append(self._static.name)
        for name in owners:
            definition = self._supergraph.types[name].fields.get(entry.wanted.name)
            join = definition.joins.get(self._builder.subgraph) if definition else None
            if join is not None:
                return join
        return None

    def _merge_equal(self, fields: list[_Finished]) -> list[_Finished]:
        """Fields that are asked alike, as one field for all their types."""
        merged: dict[tuple[FieldSelection, str | None], _Finished] = {}
        for found in fields:
            key = (found.field, found.target)
            known = merged.get(key)
            types = found.types if known is None else known.types | found.types
            merged[key] = replace(found, types=types)
        return list(merged.values())

    def _with_fragments(self, fields: list[_Finished]) -> SelectionSet:
        possible = self._possible()
        direct: list[FieldSelection] = []
        by_type: dict[str, list[FieldSelection]] = {}
        for found in fields:
            if possible is not None and possible <= found.types and self._has(found):
                direct.append(found.field)
                continue
            for name in sorted(found.types if possible is None else found.types & possible):
                by_type.setdefault(name, []).append(found.field)
        fragments = [
            FragmentSelection(type_condition=name, selections=tuple(selections))
            for name, selections in by_type.items()
        ]
        return (*direct, *fragments)

    def _possible(self) -> frozenset[str] | None:
        if self._static is None:
            return None
        return self._supergraph.possible_types_in(self._builder.subgraph, self._static.name)

    def _has(self, found: _Finished) -> bool:
        """Whether the abstract type itself has the field in this subgraph, with the same type.

        An implementation may return a narrower type, and its selection is made for that.
        """
        name = found.field.name
        if name == TYPENAME:
            return True
        if self._static is None or self._static.kind is not TypeKind.INTERFACE:
            return False
        definition = self._static.fields.get(name)
        join = definition.joins.get(self._builder.subgraph) if definition else None
        return join is not None and found.target in {None, join.type_name}
