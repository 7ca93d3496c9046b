"""Where the parts of the response come from: answers are kept as they came and joined by position.

The idea: no answer is ever merged into another. A *position* is a place in the client's response
(``products[].author``). For each position this module says symbolically which answers hold data
for the objects there, the *sources*:

* an *inline* source is found inside the parent object's source, under the response key it was
  asked for;
* an *entity* source is a row of an entity call's table, found by the key of the object's
  representation.

Two fetches and the sources they give::

    fetch 0: { products { id author { id } } }    products[]         inline of fetch 0
    fetch 1: _entities at products[].author       products[].author  inline of fetch 0, rows of 1

Which sources there are and what they selected may depend on the object's runtime type: that is a
*layout*. Types with the same layout share one. Collection of representations, generated
projection and interpreter all read this model, so they cannot disagree on where a value is found.

Invariant: what a representation (and so an entity source's key) is made of is read from answers
of the call's ancestor fetches only. It can be computed before the call and again while
projecting, with the same result.

Cost: positions and layouts are made when first visited; a plan of n selections makes O(n) of them
for each group of types that is told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    specified_scalar_types,
)

from router.executor.client_selection import TYPENAME
from router.executor.sources import (
    Access,
    CallRef,
    ContextKey,
    ContextRead,
    Join,
    JoinField,
    KeyPartKind,
    PendingCall,
    Read,
    Source,
)
from router.planner.plan import FieldSelection, RepresentationField, SelectionSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from router.executor.type_model import TypeModel

__all__ = ["Layout", "Position"]


@dataclass(slots=True, eq=False)
class Layout:
    """What the sources of a position hold for objects of ``types`` (None: of unknown type)."""

    position: Position
    types: set[str | None]
    joins: tuple[Join, ...]
    access: Mapping[str, Access]
    pending: tuple[PendingCall, ...]
    contexts: tuple[ContextRead, ...] = ()  # what the objects give to calls further down
    _children: dict[str, Position] = field(default_factory=dict)

    def child(self, key: str) -> Position:
        """Return the position under an output key: with one inline source for each read."""
        found = self._children.get(key)
        if found is None:
            access = self.access[key]
            inline = tuple(Source(read.source.fetch, read.selections) for read in access.reads)
            pending = tuple(
                PendingCall(pending.ref, pending.path, pending.step + 1)
                for pending in self.pending
                if not pending.ends and pending.path[pending.step].key == key
            )
            declared = get_named_type(access.type).name
            found = Position(self.position.types, declared, inline, pending)
            self._children[key] = found
        return found


class Position:
    """A place in the response, and the inline sources of the objects there."""

    def __init__(
        self,
        types: TypeModel,
        declared: str,
        inline: tuple[Source, ...],
        pending: tuple[PendingCall, ...],
    ) -> None:
        self.types = types
        self.declared = declared
        self.inline = inline
        self.pending = pending
        self.possible = types.possible_types(declared)
        self._entity_sources: dict[int, Source] = {}
        self._layouts: dict[str | None, Layout] = {}
        self._groups: dict[tuple[object, ...], Layout] = {}

    @cached_property
    def static_type(self) -> str | None:
        """The type of all objects here if it is known without looking at them."""
        if not self.types.is_abstract(self.declared):
            return self.declared
        if len(self.possible) == 1 and not self.typename_reads:
            return next(iter(self.possible))
        return None

    @cached_property
    def typename_reads(self) -> tuple[Read, ...]:
        """Where an object's ``__typename`` may be found, inline sources first.

        Entity sources count when their rows can be found without knowing the type, as for an
        interface object whose type only another subgraph can tell.
        """
        found = [
            Read(source, key, ())
            for source in self.inline
            for key in _typename_keys(source.selections)
        ]
        for join in self.layout(None).joins:
            keys = _typename_keys(join.source.selections)
            found.extend(Read(join.source, key, ()) for key in keys)
        return tuple(found)

    def layout(self, runtime: str | None) -> Layout:
        """Return the layout of objects of a type; types laid out alike share one."""
        found = self._layouts.get(runtime)
        if found is None:
            made, identity = _LayoutBuilder(self, runtime).build()
            found = self._groups.setdefault(identity, made)
            found.types.add(runtime)
            self._layouts[runtime] = found
        return found

    def groups(self) -> Iterator[tuple[Layout, tuple[str, ...]]]:
        """Yield the layouts of all possible types, each with its types, sorted."""
        grouped: dict[int, tuple[Layout, list[str]]] = {}
        for name in sorted(self.possible):
            layout = self.layout(name)
            grouped.setdefault(id(layout), (layout, []))[1].append(name)
        for layout, names in grouped.values():
            yield layout, tuple(names)

    def entity_source(self, ref: CallRef) -> Source:
        """Return the source made of the rows of ``ref``'s table; one for each position and call."""
        found = self._entity_sources.get(ref.index)
        if found is None:
            found = Source(ref.fetch, ref.call.selections, ref)
            self._entity_sources[ref.index] = found
        return found


def _typename_keys(selections: SelectionSet) -> Iterator[str]:
    for selection in selections:
        if not isinstance(selection, FieldSelection):
            yield from _typename_keys(selection.selections)
        elif selection.name == TYPENAME and selection.output_key == TYPENAME:
            yield selection.response_key


class _LayoutBuilder:
    """Builds the layout of one type at one position.

    Sources are taken in plan order, so that a call's representation is looked up among the
    sources of the fetches before it, and a call whose key nobody selected for this type does not
    count.
    """

    def __init__(self, position: Position, runtime: str | None) -> None:
        self._position = position
        self._runtime = runtime
        self._types = position.types
        self._reads: dict[str, list[Read]] = {}
        self._named: dict[str, tuple[str, GraphQLOutputType]] = {}
        self._identity: list[object] = []

    def build(self) -> tuple[Layout, tuple[object, ...]]:
        """Return the layout and what it has to have in common with another one to be the same."""
        position, runtime = self._position, self._runtime
        pending = tuple(call for call in position.pending if call.passes(runtime))
        self._identity.extend(id(call) for call in pending)
        for source in position.inline:
            self._add_source(source)
        joins: list[Join] = []
        for ref, spec_index in self._specs(pending):
            join = self._join(ref, spec_index)
            if join.is_possible:
                joins.append(join)
                self._identity.append((ref.index, spec_index))
                self._add_source(join.source)
        access = {key: self._access(key) for key in self._reads}
        contexts = tuple(self._contexts(pending))
        layout = Layout(position, {runtime}, tuple(joins), access, pending, contexts)
        return layout, tuple(self._identity)

    def _contexts(self, pending: tuple[PendingCall, ...]) -> Iterator[ContextRead]:
        known: set[ContextKey] = set()
        for call in pending:
            for source in () if call.ends else call.path[call.step].contexts:
                key = (call.ref.index, source.number)
                if key in known or not (source.types is None or self._runtime in source.types):
                    continue
                known.add(key)
                self._identity.append((key, id(source)))
                access: Access | None = None
                if source.field is not None:
                    access = self._known_before(call.ref, source.field.source_key)
                yield ContextRead(call.ref, source, access)

    def _specs(self, pending: tuple[PendingCall, ...]) -> Iterator[tuple[CallRef, int]]:
        """Yield the calls with rows for objects of this type, and the spec that applies."""
        ending = {call.ref: None for call in pending if call.ends}
        for ref in sorted(ending, key=lambda ref: ref.index):
            for index, spec in enumerate(ref.call.representations):
                if spec.types is None or self._runtime in spec.types:
                    if spec.typename is not None or self._runtime is not None:
                        yield ref, index
                    break

    def _add_source(self, source: Source) -> None:
        merged: dict[str, list[tuple[str, FieldSelection]]] = {}
        self._gather(source.selections, self._runtime or self._position.declared, merged)
        for key, group in merged.items():
            parent, first = group[0]
            below = tuple(inner for _, selection in group for inner in selection.selections)
            self._reads.setdefault(first.output_key, []).append(Read(source, key, below))
            self._identity.append((id(source), key, tuple(id(selection) for _, selection in group)))
            if first.output_key not in self._named:
                graphql_type = self._types.field_type(parent, first.name)
                self._named[first.output_key] = (first.name, graphql_type)
                self._identity.append((first.output_key, str(graphql_type)))

    def _gather(
        self,
        selections: SelectionSet,
        parent: str,
        merged: dict[str, list[tuple[str, FieldSelection]]],
    ) -> None:
        """Collect the fields selected for this type by response key, merged as GraphQL does."""
        for selection in selections:
            if isinstance(selection, FieldSelection):
                if selection.name != TYPENAME:
                    merged.setdefault(selection.response_key, []).append((parent, selection))
            elif self._types.applies(
                selection.type_condition, self._runtime, self._position.declared
            ):
                inner = self._runtime or selection.type_condition
                self._gather(selection.selections, inner, merged)

    def _access(self, key: str) -> Access:
        name, graphql_type = self._named[key]
        reads = sorted(self._reads[key], key=lambda read: read.source.fetch)
        return Access(name, graphql_type, tuple(reads))

    def _join(self, ref: CallRef, index: int) -> Join:
        spec = ref.call.representations[index]
        parts = tuple(
            JoinField(part, access := self._known_before(ref, part.source_key), _kind(part, access))
            for part in spec.fields
            if part.type_condition is None or self._runtime in part.type_condition
        )
        self._identity.append(tuple(id(part.field) for part in parts))
        return Join(self._position.entity_source(ref), ref, index, spec, parts)

    def _known_before(self, ref: CallRef, source_key: str) -> Access | None:
        """Return where the answers that ``ref`` waits for have the value of ``source_key``."""
        if source_key not in self._reads:
            return None
        access = self._access(source_key)
        reads = tuple(read for read in access.reads if read.source.fetch in ref.ancestors)
        return Access(access.name, access.type, reads) if reads else None


def _kind(field: RepresentationField, access: Access | None) -> KeyPartKind:
    if field.selections:
        return KeyPartKind.NESTED
    if access is None:
        return KeyPartKind.PLAIN
    leaf = get_nullable_type(access.type)
    if isinstance(leaf, GraphQLList):
        return KeyPartKind.ENCODED
    plain = isinstance(leaf, GraphQLEnumType) or leaf.name in specified_scalar_types
    return KeyPartKind.PLAIN if plain else KeyPartKind.ENCODED
