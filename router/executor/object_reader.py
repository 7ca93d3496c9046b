"""Reads the objects of the response out of untrusted answers, by the model of ``positions``.

This is the precise, slow counterpart of the generated code: it never raises, whatever the answers
look like. It serves the projection interpreter, collection where the generated code gave up, and
finding the objects that an error concerns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import orjson
from graphql import GraphQLList, GraphQLNonNull, GraphQLOutputType

from router.executor.answers import NULLS, Answers, RepresentationKey
from router.executor.context import Json, JsonObject, PathKey
from router.executor.sources import (
    Access,
    CallRef,
    ContextKey,
    ContextRead,
    Join,
    JoinField,
    KeyPartKind,
    Source,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from router.executor.positions import Layout, Position
    from router.planner.plan import Path, RepresentationField

__all__ = [
    "MISSING",
    "NO_CONTEXTS",
    "Collected",
    "CollectedObject",
    "ContextValues",
    "ObjectReader",
    "OpenObject",
    "ResponsePath",
    "first",
    "item_type",
    "join_lists",
    "spread",
]


ContextValues: TypeAlias = "Mapping[ContextKey, Json]"


class _Missing:
    """The type of MISSING."""


MISSING: Final = _Missing()
"""Stands for a key that is not in the answer though it was asked for."""

NO_CONTEXTS: Final[ContextValues] = {}
_NO_KEY: Final = _Missing()
ResponsePath: TypeAlias = tuple[PathKey, ...]
CollectedObject: TypeAlias = tuple[ResponsePath, RepresentationKey, JsonObject]


class OpenObject:
    """One object of the response: its type and the dicts that hold its fields.

    ``layout`` is None if the answers claim a type that cannot be here; ``typename`` then is what
    they claim. ``contexts`` are the contextual values that the objects above it give.
    """

    __slots__ = ("contexts", "layout", "typename", "values")

    def __init__(
        self,
        layout: Layout | None,
        typename: str | None,
        values: dict[Source, Mapping[str, Json]],
        contexts: ContextValues,
    ) -> None:
        self.layout = layout
        self.typename = typename
        self.values = values
        self.contexts = contexts


class Collected:
    """The representations of one entity call, and the number of each by its key."""

    __slots__ = ("index", "representations")

    def __init__(self) -> None:
        self.index: dict[RepresentationKey, int] = {}
        self.representations: list[JsonObject] = []

    def add(self, key: RepresentationKey, representation: JsonObject) -> None:
        """Add a representation unless an equal one is there."""
        if key not in self.index:
            self.index[key] = len(self.representations)
            self.representations.append(representation)


def item_type(graphql_type: GraphQLOutputType) -> GraphQLOutputType | None:
    """Return what a list type is a list of, or None when it is no list."""
    if isinstance(graphql_type, GraphQLNonNull):
        graphql_type = graphql_type.of_type
    return graphql_type.of_type if isinstance(graphql_type, GraphQLList) else None


def join_lists(raws: tuple[Json, ...]) -> list[tuple[Json, ...]] | None:
    """Join lists of several sources item by item; None when there is no list at all."""
    lists = [raw if isinstance(raw, list) else None for raw in raws]
    lengths = [len(items) for items in lists if items is not None]
    if not lengths:
        return None
    return [
        tuple(items[i] if items is not None and i < len(items) else None for items in lists)
        for i in range(max(lengths))
    ]


class ObjectReader:
    """Opens objects and reads their fields."""

    def __init__(self, root: Position, answers: Answers) -> None:
        self._root = root
        self._answers = answers

    def open_root(self) -> OpenObject:
        """Return the root object: joined of the data of all root fetches."""
        data = self._answers.data
        values = {
            source: data[source.fetch]
            for source in self._root.inline
            if data[source.fetch] is not NULLS
        }
        layout = self._root.layout(self._root.static_type)
        return OpenObject(layout, self._root.declared, values, NO_CONTEXTS)

    def open(
        self, position: Position, raws: tuple[Json, ...], contexts: ContextValues
    ) -> OpenObject | None:
        """Join the dicts that the position's inline sources hold; None when no source has one."""
        values: dict[Source, Mapping[str, Json]] = {
            source: raw
            for source, raw in zip(position.inline, raws, strict=True)
            if isinstance(raw, dict)
        }
        if not values:
            return None
        found = OpenObject(None, position.static_type, values, contexts)
        if found.typename is None:
            found.typename = self._typename(position, found)
        if found.typename is None or found.typename in position.possible:
            found.layout = position.layout(found.typename)
            self._add_rows(found.layout, found)
        return found

    def _typename(self, position: Position, found: OpenObject) -> str | None:
        """Return the first known type that a source tells, else any name one tells."""
        claimed: str | None = None
        self._add_rows(position.layout(None), found)
        for read in position.typename_reads:
            name = found.values.get(read.source, {}).get(read.key)
            if name is None:
                continue
            if isinstance(name, str) and name in position.possible:
                return name
            claimed = claimed or str(name)
        return claimed

    def _add_rows(self, layout: Layout, found: OpenObject) -> None:
        for join in layout.joins:
            table = self._answers.tables[join.ref.index]
            if not table or join.source in found.values:
                continue
            made = self.representation(layout, found, join)
            row = table.get(made[0]) if made is not None else None
            if row is not None:  # what is no object has none of the fields it was asked for
                found.values[join.source] = row if isinstance(row, dict) else {}

    def read(self, found: OpenObject, access: Access) -> tuple[Json, ...]:
        """Return the value of each read: MISSING where it lacks the key, None without source."""
        values = found.values
        if len(access.reads) == 1:  # most often; this is where the time goes
            read = access.reads[0]
            source = values.get(read.source)
            return (None if source is None else source.get(read.key, MISSING),)
        return tuple(
            values[read.source].get(read.key, MISSING) if read.source in values else None
            for read in access.reads
        )

    def read_of(
        self, found: OpenObject, access: Access, allowed: frozenset[int]
    ) -> tuple[Json, ...]:
        """Return what ``read`` does, with None for the answers of fetches that are not allowed."""
        return tuple(
            raw if read.source.fetch in allowed else None
            for read, raw in zip(access.reads, self.read(found, access), strict=True)
        )

    # contexts

    def contexts_below(
        self, found: OpenObject, fetches: frozenset[int] | None = None
    ) -> ContextValues:
        """Return the contextual values of the objects below an object.

        ``fetches`` restricts to what the calls of some fetches are given.
        """
        layout = found.layout
        if layout is None or not layout.contexts:
            return found.contexts
        own = {
            read.key: self.context(layout, found, read)
            for read in layout.contexts
            if fetches is None or read.ref.fetch in fetches
        }
        return {**found.contexts, **own}

    def context(self, layout: Layout, found: OpenObject, read: ContextRead) -> Json:
        """Return a contextual value that an object gives."""
        field = read.source.field
        if field is None or read.access is None:
            return None
        return _plucked(self._nested_field(layout, found, field, read.ref.ancestors), field)

    # representations

    def representation(
        self, layout: Layout, found: OpenObject, join: Join
    ) -> tuple[RepresentationKey, JsonObject] | None:
        """Return an object's representation and its key, None when a key field has no value."""
        typename = join.spec.typename or found.typename
        made: JsonObject = {"__typename": typename}
        key: list[RepresentationKey] = []
        if join.ref.call.contexts:
            key.append(orjson.dumps([found.contexts.get(k) for k in join.ref.context_keys]))
        if join.ref.tag_spec:
            key.append(join.spec_index)
        if join.ref.tag_type:
            key.append(typename)
        for part in join.fields:
            value = self._part(layout, found, part, join.ref.ancestors)
            if value is _NO_KEY:
                return None
            made[part.field.name] = value
            key.append(value if part.kind is KeyPartKind.PLAIN else orjson.dumps(value))
        return (key[0] if len(key) == 1 else tuple(key)), made

    def _part(
        self, layout: Layout, found: OpenObject, part: JoinField, allowed: frozenset[int]
    ) -> Json:
        """Return the value of one field, _NO_KEY when it is needed and has none."""
        value: Json = None
        if part.is_typename:
            value = found.typename
        elif part.kind is KeyPartKind.NESTED:
            value = self._nested_field(layout, found, part.field, allowed)
        elif part.access is not None:
            value = first(self.read(found, part.access))
            if part.kind is KeyPartKind.PLAIN and isinstance(value, (dict, list)):
                value = None
        return _NO_KEY if value is None and part.field.is_key else value

    def _nested_field(
        self,
        layout: Layout,
        found: OpenObject,
        field: RepresentationField,
        allowed: frozenset[int],
    ) -> Json:
        if field.source_key == "__typename":
            return found.typename
        access = layout.access.get(field.source_key)
        if access is None:
            return None
        raws = self.read_of(found, access, allowed)
        if not field.selections:
            return first(raws)
        child = layout.child(field.source_key)
        contexts = self.contexts_below(found, allowed)
        return self._nested(access.type, child, raws, field, allowed, contexts)

    def _nested(
        self,
        graphql_type: GraphQLOutputType,
        position: Position,
        raws: tuple[Json, ...],
        field: RepresentationField,
        allowed: frozenset[int],
        contexts: ContextValues,
    ) -> Json:
        items_are = item_type(graphql_type)
        if items_are is not None:
            joined = join_lists(raws)
            if joined is None:
                return None
            items = [
                self._nested(items_are, position, item, field, allowed, contexts) for item in joined
            ]
            return _NO_KEY if any(item is _NO_KEY for item in items) else items
        found = self.open(position, raws, contexts)
        if found is None or found.layout is None:
            return None
        made: JsonObject = {}
        for inner in field.selections:
            if inner.type_condition is None or found.typename in inner.type_condition:
                value = self._nested_field(found.layout, found, inner, allowed)
                if value is _NO_KEY or (value is None and inner.is_key):
                    return _NO_KEY
                made[inner.name] = value
        return made

    # the objects of an entity call

    def objects(self, ref: CallRef) -> Iterator[CollectedObject]:
        """Yield path, key and representation of each object that a call is made for."""
        for path in ref.call.paths:
            yield from self._walk(self.open_root(), (), ref, path, 0)

    def _walk(
        self, found: OpenObject, at: ResponsePath, ref: CallRef, path: Path, step: int
    ) -> Iterator[CollectedObject]:
        layout = found.layout
        if layout is None or not _goes_on(found, path, step):
            return
        if step == len(path):
            join = next((join for join in layout.joins if join.ref is ref), None)
            made = self.representation(layout, found, join) if join is not None else None
            if made is not None:
                yield at, *made
            return
        key = path[step].key
        access = layout.access.get(key)
        if access is None:
            return
        position = layout.child(key)
        contexts = self.contexts_below(found)
        for below, raws in spread((*at, key), access.type, self.read(found, access)):
            inner = self.open(position, raws, contexts)
            if inner is not None:
                yield from self._walk(inner, below, ref, path, step + 1)

    def collect(self, ref: CallRef) -> Collected:
        """Collect the representations of an entity call."""
        collected = Collected()
        for _, key, made in self.objects(ref):
            collected.add(key, made)
        return collected


def first(raws: tuple[Json, ...]) -> Json:
    """Return the first value there is."""
    return next((raw for raw in raws if raw is not None and raw is not MISSING), None)


def _plucked(value: Json, field: RepresentationField) -> Json:
    """Return the value that a selection of one field leads to, a list of them below a list."""
    if isinstance(value, list) and field.selections:
        return [_plucked(item, field) for item in value]
    if not field.selections or not isinstance(value, dict):
        return value
    inner = next((f for f in field.selections if f.name in value and f.name != "__typename"), None)
    return None if inner is None else _plucked(value[inner.name], inner)


def _goes_on(found: OpenObject, path: Path, step: int) -> bool:
    types = path[step - 1].types if step else None
    return types is None or found.typename in types


def spread(
    at: ResponsePath, graphql_type: GraphQLOutputType, raws: tuple[Json, ...]
) -> Iterator[tuple[ResponsePath, tuple[Json, ...]]]:
    """Yield the items of (nested) lists with their paths; what is no list is one item."""
    items_are = item_type(graphql_type)
    if items_are is None:
        yield at, raws
        return
    for index, items in enumerate(join_lists(raws) or ()):
        yield from spread((*at, index), items_are, items)
