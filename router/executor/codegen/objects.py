"""Code for what collection and projection share: an object's type, fields and rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from router.executor.codegen.runtime import IrregularAnswerError
from router.executor.losses import lost_key
from router.executor.object_reader import ObjectReader, OpenObject
from router.executor.sources import Access, Join, KeyPartKind, Read, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.executor.answers import RepresentationKey
    from router.executor.codegen.writer import FunctionWriter
    from router.executor.context import Json, JsonObject
    from router.executor.object_reader import ContextValues
    from router.executor.positions import Layout, Position
    from router.executor.sources import CallRef, ContextKey, ContextRead

__all__ = ["ContextVariables", "JoinCode", "ObjectCode", "Scope"]


ContextVariables: TypeAlias = "Mapping[ContextKey, str]"


@dataclass(slots=True)
class Scope:
    """What generated code knows about one object.

    ``variables`` hold its sources, ``typename`` is the expression for its type (None: unknown),
    ``values`` are variables with what has been read from the sources, ``contexts`` those with the
    contextual values that the objects above it give.
    """

    variables: dict[Source, str]
    typename: str | None = None
    values: dict[tuple[Source, str], str] = field(default_factory=dict)
    contexts: ContextVariables = field(default_factory=dict)

    def inner(self, typename: str | None = None) -> Scope:
        """Return a copy for a nested block: what is added there is not known outside."""
        known = typename or self.typename
        return Scope(dict(self.variables), known, dict(self.values), self.contexts)


@dataclass(slots=True)
class JoinCode:
    """Expressions for a representation.

    ``made`` is a variable with the pair (key, representation) or None, where only the reader can
    make it; else ``key`` and ``representation`` are expressions, and no representation exists
    when one of ``needed`` is None.
    """

    key: str
    representation: str
    needed: list[str] = field(default_factory=list)
    made: str | None = None


class ObjectCode:
    """Writes code about single objects into one function.

    ``fetches`` restricts whose answers are read.
    """

    def __init__(self, writer: FunctionWriter, fetches: frozenset[int] | None = None) -> None:
        self._writer = writer
        self._fetches = fetches

    def reads(self, access: Access) -> tuple[Read, ...]:
        """Return the reads of a field that this code may make."""
        if self._fetches is None:
            return access.reads
        return tuple(read for read in access.reads if read.source.fetch in self._fetches)

    def source(self, layout: Layout, source: Source, scope: Scope) -> str:
        """Return the variable of a source, after looking the row up if that has not been done."""
        variable = scope.variables.get(source)
        if variable is None:
            join = next(join for join in layout.joins if join.source is source)
            code = self.join(layout, join, scope)
            assert source.call is not None
            variable = self._writer.fresh("e")
            get = self._writer.table(source.call.index)
            if code.made is None:
                self._writer.line(f"{variable} = {get}({code.key})")
            else:
                self._writer.line(
                    f"{variable} = None if {code.made} is None else {get}({code.made}[0])"
                )
            with self._writer.block(f"if {variable} is None:"):
                self._writer.line(f"{variable} = NULLS")
            scope.variables[source] = variable
        return variable

    def leaf(self, layout: Layout, reads: tuple[Read, ...], scope: Scope) -> str:
        """Return a variable with the first value that is not null among the reads of a leaf.

        The variable is never to be changed: a value that is shown and also part of a key is read
        once.
        """
        first, *others = reads
        known = scope.values.get((first.source, first.key))
        if known is not None and not others:
            return known
        value = self._writer.fresh("x")
        self._writer.line(f"{value} = {self.source(layout, first.source, scope)}[{first.key!r}]")
        for other in others:
            with self._writer.block(f"if {value} is None:"):
                variable = self.source(layout, other.source, scope.inner())
                self._writer.line(f"{value} = {variable}[{other.key!r}]")
        if not others:
            scope.values[first.source, first.key] = value
        return value

    def typename(self, position: Position, scope: Scope) -> str | None:
        """Return a variable with the runtime type of an object, None where no answer tells."""
        value: str | None = None
        layout = position.layout(None)
        for read in position.typename_reads:
            if self._fetches is not None and read.source.fetch not in self._fetches:
                continue
            if value is None:
                value = self._writer.fresh("tn")
                variable = self.source(layout, read.source, scope)
                self._writer.line(f"{value} = {_typename(variable, read)}")
                continue
            # Also where another subgraph claims what cannot be here: the interpreter looks further.
            possible = self._writer.constant_set(position.possible)
            with self._writer.block(f"if {value} not in {possible}:"):
                variable = self.source(layout, read.source, scope.inner())
                self._writer.line(f"{value} = {_typename(variable, read)} or {value}")
        return value

    def is_type(self, typename: str, names: tuple[str, ...]) -> str:
        """Return the condition that an object is of one of some types."""
        if len(names) == 1:
            return f"{typename} == {names[0]!r}"
        return f"{typename} in {self._writer.constant_set(frozenset(names))}"

    def contexts(
        self, layout: Layout, scope: Scope, own: CallRef | None = None
    ) -> ContextVariables:
        """Write the reads of the contextual values that an object gives; return those of the
        objects below it.

        Only what this code needs: of the call ``own`` and of those whose rows it reads.
        """
        found = scope.contexts
        for read in layout.contexts:
            if self._fetches is None or read.ref is own or read.ref.fetch in self._fetches:
                found = {**found, read.key: self._context(layout, read, scope)}
        return found

    def _context(self, layout: Layout, read: ContextRead, scope: Scope) -> str:
        if read.access is None or read.source.field is None:
            return "None"
        if not read.source.field.selections:
            return self.leaf(layout, read.access.reads, scope)
        sources = tuple(dict.fromkeys(found.source for found in read.access.reads))
        values = [self.source(layout, source, scope) for source in sources]
        reader = self._writer.constant("CTX", _context_reader(layout, read, sources))
        value = self._writer.fresh("c")
        arguments = ", ".join(["R", scope.typename or "None", _literal(scope.contexts), *values])
        self._writer.line(f"{value} = {reader}({arguments})")
        return value

    def join(self, layout: Layout, join: Join, scope: Scope) -> JoinCode:
        """Write what is needed to make the representation of an object."""
        if any(part.kind is KeyPartKind.NESTED for part in join.fields):
            return self._read_join(layout, join, scope)
        typename = repr(join.spec.typename) if join.spec.typename is not None else scope.typename
        assert typename is not None  # else the layout has no such join
        keys: list[str] = []
        if join.ref.call.contexts:
            values = (scope.contexts.get(key, "None") for key in join.ref.context_keys)
            keys.append(f"encode([{', '.join(values)}])")
        if join.ref.tag_spec:
            keys.append(str(join.spec_index))
        if join.ref.tag_type:
            keys.append(typename)
        members = [f"'__typename': {typename}"]
        needed: list[str] = []
        for part in join.fields:
            value = "None"
            if part.is_typename:
                value = scope.typename or "None"
            elif part.access is not None:
                value = self.leaf(layout, part.access.reads, scope)
                if part.field.is_key:
                    needed.append(value)
            keys.append(value if part.kind is KeyPartKind.PLAIN else f"encode({value})")
            members.append(f"{part.field.name!r}: {value}")
        key = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
        return JoinCode(key, f"{{{', '.join(members)}}}", needed)

    def _read_join(self, layout: Layout, join: Join, scope: Scope) -> JoinCode:
        """Leave a representation with nested objects to the reader."""
        accesses = [part.access for part in join.fields]
        # What is nested may stand in rows of calls that get contextual values from this object.
        accesses += [c.access for c in layout.contexts if c.ref.fetch in join.ref.ancestors]
        reads = (read for access in accesses if access is not None for read in access.reads)
        sources = tuple(dict.fromkeys(read.source for read in reads))
        values = [self.source(layout, source, scope) for source in sources]
        maker = self._writer.constant("REP", _maker(layout, join, sources))
        made = self._writer.fresh("m")
        arguments = ", ".join(["R", scope.typename or "None", _literal(scope.contexts), *values])
        self._writer.line(f"{made} = {maker}({arguments})")
        return JoinCode(f"{made}[0]", f"{made}[1]", made=made)


def _typename(variable: str, read: Read) -> str:
    """Return the expression that reads a type; the code gives up when it is lost."""
    always = read.source.always_has(read.key)
    return f"{variable}[{read.key!r}]" if always else f"{variable}.get({read.key!r})"


def _maker(
    layout: Layout, join: Join, sources: tuple[Source, ...]
) -> Callable[..., tuple[RepresentationKey, JsonObject] | None]:
    def make(
        reader: ObjectReader, typename: str | None, contexts: ContextValues, *values: Json
    ) -> tuple[RepresentationKey, JsonObject] | None:
        found = OpenObject(layout, typename, dict(zip(sources, values, strict=True)), contexts)
        made = reader.representation(layout, found, join)
        if made is None and lost_key(reader, layout, found, join):
            raise IrregularAnswerError
        return made

    return make


def _context_reader(
    layout: Layout, read: ContextRead, sources: tuple[Source, ...]
) -> Callable[..., Json]:
    def context(
        reader: ObjectReader, typename: str | None, contexts: ContextValues, *values: Json
    ) -> Json:
        found = OpenObject(layout, typename, dict(zip(sources, values, strict=True)), contexts)
        return reader.context(layout, found, read)

    return context


def _literal(contexts: ContextVariables) -> str:
    """The expression for contextual values as the reader takes them."""
    if not contexts:
        return "NO_CONTEXTS"
    return f"{{{', '.join(f'{key}: {variable}' for key, variable in contexts.items())}}}"
