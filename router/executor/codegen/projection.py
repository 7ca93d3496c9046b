"""Generated projection: one function that joins all answers and builds the response on the way.

What is generated looks like this::

    def project(A, T, R, M):
     row0 = T[0].get
     ...
      for o0 in v0:
       ...
       x0 = o0['upc']
       if x0.__class__ is not str:
        raise IrregularAnswerError
       e0 = row0(x0)
       if e0 is None:
        e0 = NULLS
       x1 = e0['price']
       ...
       p0({'upc': x0, 'price': x1})
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLNonNull,
    GraphQLOutputType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)

from router.executor.answers import Answers
from router.executor.client_selection import TYPENAME, ClientField, ClientSelection
from router.executor.codegen.objects import ObjectCode, Scope
from router.executor.codegen.writer import FunctionWriter
from router.executor.context import Json, JsonObject
from router.executor.leaves import INT_MAX, INT_MIN
from router.executor.object_reader import ObjectReader, item_type

if TYPE_CHECKING:
    from router.executor.codegen.objects import ContextVariables
    from router.executor.positions import Layout, Position
    from router.executor.sources import Access

__all__ = ["Projection", "compile_projection"]

Projection: TypeAlias = Callable[[Answers, ObjectReader, Mapping[str, Json]], JsonObject]
_Emit: TypeAlias = Callable[[str], None]  # takes the expression of a finished value

_Place: TypeAlias = "tuple[Position, ContextVariables]"  # and the contextual values given to it

_CLASSES = {"String": "str", "Boolean": "bool"}


class _ProjectionCompiler:
    """Generates the projection of one operation."""

    def __init__(self, client: ClientSelection) -> None:
        self._client = client
        self._writer = FunctionWriter("project", "A, T, R, M")
        self._objects = ObjectCode(self._writer)

    def compile(self, root: Position) -> Projection:
        """Return the function. Raises CodeTooLargeError."""
        scope = Scope({})
        for source in root.inline:
            scope.variables[source] = self._writer.fresh("a")
            self._writer.line(f"{scope.variables[source]} = A[{source.fetch}]")
        self._object(
            root, scope, self._client.root, lambda value: self._writer.line(f"return {value}")
        )
        function = self._writer.compile()

        def project(answers: Answers, reader: ObjectReader, meta: Mapping[str, Json]) -> JsonObject:
            data: JsonObject = function(answers.data, answers.tables, reader, meta)
            return data

        return project

    def _object(
        self,
        position: Position,
        scope: Scope,
        selection_sets: tuple[SelectionSetNode, ...],
        emit: _Emit,
    ) -> None:
        """Write the code that builds one object.

        Its inline sources are in ``scope``, none of them None.
        """
        accessible = self._client.possible_types(position.declared)
        static = position.static_type
        if static is not None:
            if static not in accessible:
                self._give_up()
                return
            fields = self._client.fields(static, position.declared, selection_sets)
            emit(self._fields(position.layout(static), scope.inner(repr(static)), fields))
            return
        typename = self._objects.typename(position, scope)
        word = "if"
        if typename is not None:
            for layout, names, fields in self._branches(position, selection_sets):
                with self._writer.block(f"{word} {self._objects.is_type(typename, names)}:"):
                    known = repr(names[0]) if len(names) == 1 else typename
                    emit(self._fields(layout, scope.inner(known), fields))
                word = "elif"
        unknown = "if True:" if word == "if" else f"elif {typename} is None:"
        with self._writer.block(unknown):
            fields = self._client.fields(None, position.declared, selection_sets)
            emit(self._fields(position.layout(None), scope.inner(), fields))
        if word == "elif":
            with self._writer.block("else:"):
                self._give_up()

    def _branches(
        self, position: Position, selection_sets: tuple[SelectionSetNode, ...]
    ) -> Iterator[tuple[Layout, tuple[str, ...], tuple[ClientField, ...]]]:
        """Yield the types that are read and projected alike."""
        accessible = self._client.possible_types(position.declared)
        for layout, names in position.groups():
            alike: dict[tuple[object, ...], list[str]] = {}
            for name in names:
                if name in accessible:
                    fields = self._client.fields(name, position.declared, selection_sets)
                    alike.setdefault(tuple(field.identity for field in fields), []).append(name)
            for group in alike.values():
                fields = self._client.fields(group[0], position.declared, selection_sets)
                yield layout, tuple(group), fields

    def _fields(self, layout: Layout, scope: Scope, fields: tuple[ClientField, ...]) -> str:
        """Write the code for an object's fields; return the expression that joins them."""
        below = self._objects.contexts(layout, scope)
        members = [f"{field.key!r}: {self._field(layout, scope, field, below)}" for field in fields]
        return f"{{{', '.join(members)}}}"

    def _field(
        self, layout: Layout, scope: Scope, field: ClientField, below: ContextVariables
    ) -> str:
        if field.name == TYPENAME:
            if scope.typename is None:
                self._give_up()
            return scope.typename or "None"
        if field.type is None:
            return f"M[{field.key!r}]"
        access = None if field.withheld else layout.access.get(field.key)
        if access is None:  # nobody was asked for it on behalf of the client
            if isinstance(field.type, GraphQLNonNull):
                self._give_up()
            return "None"
        if is_leaf_type(get_named_type(field.type)):
            return self._leaf(field.type, self._objects.leaf(layout, access.reads, scope))
        return self._composite(layout, scope, field, access, below)

    def _composite(
        self,
        layout: Layout,
        scope: Scope,
        field: ClientField,
        access: Access,
        below: ContextVariables,
    ) -> str:
        assert field.type is not None
        values: list[str] = []
        for read in access.reads:
            variable = self._objects.source(layout, read.source, scope)
            values.append(self._writer.fresh("v"))
            self._writer.line(f"{values[-1]} = {variable}[{read.key!r}]")
        result = self._writer.fresh("y")
        self._value(
            field.type,
            values,
            (layout.child(field.key), below),
            field.selection_sets,
            lambda value: self._writer.line(f"{result} = {value}"),
        )
        return result

    def _value(
        self,
        graphql_type: GraphQLOutputType,
        values: list[str],
        place: _Place,
        selection_sets: tuple[SelectionSetNode, ...],
        emit: _Emit,
    ) -> None:
        """Write the code for an object or a list of objects, given the values of all sources."""
        with self._writer.block(f"if {' is None and '.join(values)} is None:"):
            if isinstance(graphql_type, GraphQLNonNull):
                self._give_up()
            else:
                emit("None")
        with self._writer.block("else:"):
            items_are = item_type(graphql_type)
            if items_are is not None:
                self._list(items_are, values, place, selection_sets, emit)
                return
            for value in values:
                if len(values) > 1:
                    with self._writer.block(f"if {value} is None:"):
                        self._writer.line(f"{value} = NULLS")
                word = "elif" if len(values) > 1 else "if"
                with self._writer.block(f"{word} {value}.__class__ is not dict:"):
                    self._give_up()
            position, contexts = place
            scope = Scope(dict(zip(position.inline, values, strict=True)), contexts=contexts)
            reference = None if contexts else self._reference(position, selection_sets)
            if reference is None:
                self._object(position, scope, selection_sets, emit)
            else:
                self._referred(position, scope, selection_sets, (values[0], reference), emit)

    def _reference(
        self, position: Position, selection_sets: tuple[SelectionSetNode, ...]
    ) -> str | None:
        """Return the key of the one string that an object has in its place, if all else is in rows.

        Such an object, an author below each of their posts, looks the same wherever the string is:
        it is made once.
        """
        static = position.static_type
        if static is None or len(position.inline) != 1:
            return None
        layout = position.layout(static)
        if not layout.joins or layout.contexts:
            return None
        fields = self._client.fields(static, position.declared, selection_sets)
        shown = [layout.access[field.key] for field in fields if field.key in layout.access]
        joined = [part.access for join in layout.joins for part in join.fields if part.access]
        inline = {
            read.key: access.type
            for access in (*shown, *joined)
            for read in access.reads
            if read.source is position.inline[0]
        }
        if len(inline) != 1:
            return None
        ((key, graphql_type),) = inline.items()
        is_string = get_named_type(graphql_type).name in {"ID", "String"}
        return key if is_string and item_type(graphql_type) is None else None

    def _referred(
        self,
        position: Position,
        scope: Scope,
        selection_sets: tuple[SelectionSetNode, ...],
        reference: tuple[str, str],
        emit: _Emit,
    ) -> None:
        """Write the code that makes an object once for each value of its reference."""
        value, name = reference
        known, key = self._writer.memo(), self._writer.fresh("r")
        result = self._writer.fresh("y")
        self._writer.line(f"{key} = {value}[{name!r}]")
        self._writer.line(f"{result} = {known}.get({key}) if {key}.__class__ is str else None")
        with self._writer.block(f"if {result} is None:"):
            self._object(
                position,
                scope,
                selection_sets,
                lambda made: self._writer.line(f"{result} = {known}[{key}] = {made}"),
            )
        emit(result)

    def _list(
        self,
        items_are: GraphQLOutputType,
        values: list[str],
        place: _Place,
        selection_sets: tuple[SelectionSetNode, ...],
        emit: _Emit,
    ) -> None:
        result, append = self._writer.fresh("l"), self._writer.fresh("p")
        iterable = values[0]
        if len(values) == 1:
            with self._writer.block(f"if {iterable}.__class__ is not list:"):
                self._give_up()
        else:
            iterable = f"join({', '.join(values)})"
        self._writer.line(f"{result} = []")
        self._writer.line(f"{append} = {result}.append")
        items = [self._writer.fresh("o") for _ in values]
        with self._writer.block(f"for {', '.join(items)} in {iterable}:"):
            self._value(
                items_are,
                items,
                place,
                selection_sets,
                lambda value: self._writer.line(f"{append}({value})"),
            )
        emit(result)

    # scalars and enums

    def _leaf(self, graphql_type: GraphQLOutputType, value: str) -> str:
        """Write the check of a leaf (or list of them); return the expression to show."""
        items_are = item_type(graphql_type)
        if items_are is None:
            return self._single_leaf(graphql_type, value)
        nullable = not isinstance(graphql_type, GraphQLNonNull)
        result, item = self._writer.fresh("l"), self._writer.fresh("o")
        with self._writer.block(f"if {value}.__class__ is list:"):
            self._writer.line(f"{result} = []")
            with self._writer.block(f"for {item} in {value}:"):
                shown = self._leaf(items_are, item)
                self._writer.line(f"{result}.append({shown})")
        with self._writer.block(f"elif {value} is not None:" if nullable else "else:"):
            self._give_up()
        if nullable:
            with self._writer.block("else:"):
                self._writer.line(f"{result} = None")
        return result

    def _single_leaf(self, graphql_type: GraphQLOutputType, value: str) -> str:
        if get_named_type(graphql_type).name != "ID":
            self._check(graphql_type, value)
            return value
        shown = self._writer.fresh("i")
        convert = "id_of" if isinstance(graphql_type, GraphQLNonNull) else "optional_id_of"
        self._writer.line(f"{shown} = {value} if {value}.__class__ is str else {convert}({value})")
        return shown

    def _check(self, graphql_type: GraphQLOutputType, value: str) -> None:
        """Write the check that ``value`` is one of its type; usually that is one comparison."""
        leaf = get_named_type(graphql_type)
        or_null = "" if isinstance(graphql_type, GraphQLNonNull) else f" and {value} is not None"
        wrong: str | None = None
        if isinstance(leaf, GraphQLEnumType):
            names = self._writer.constant_set(frozenset(leaf.values))
            wrong = f"{value} not in {names}{or_null}"
        elif leaf.name in _CLASSES:
            wrong = f"{value}.__class__ is not {_CLASSES[leaf.name]}{or_null}"
        elif leaf.name == "Int":
            wrong = (
                f"({value}.__class__ is not int or not {INT_MIN} <= {value} <= {INT_MAX}){or_null}"
            )
        elif leaf.name == "Float":
            wrong = f"{value}.__class__ is not float and {value}.__class__ is not int{or_null}"
        elif not or_null:
            wrong = f"{value} is None"
        if wrong is not None:
            with self._writer.block(f"if {wrong}:"):
                self._give_up()

    def _give_up(self) -> None:
        self._writer.line("raise IrregularAnswerError")


def compile_projection(root: Position, client: ClientSelection) -> Projection:
    """Return the generated projection of an operation. Raises CodeTooLargeError."""
    return _ProjectionCompiler(client).compile(root)
