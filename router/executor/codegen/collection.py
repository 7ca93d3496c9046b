"""Generated collection: walks answers along a fetch's paths and makes each representation once.

What is generated looks like this::

    def collect(A, T, R):
     n0 = {}
     r0 = []
     a0 = A[0]
     v0 = a0['products']
     for o0 in v0 or ():
      if o0 is not None:
       x0 = o0['upc']
       if x0 is not None:
        k0 = x0
        if k0 not in n0:
         n0[k0] = len(r0)
         r0.append({'__typename': 'Product', 'upc': x0})
     return ((n0, r0), )
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from router.executor.answers import Answers, RepresentationKey
from router.executor.codegen.objects import ObjectCode, Scope
from router.executor.codegen.writer import FunctionWriter
from router.executor.context import JsonObject
from router.executor.object_reader import ObjectReader, item_type

if TYPE_CHECKING:
    from graphql import GraphQLOutputType

    from router.executor.codegen.objects import ContextVariables
    from router.executor.positions import Layout, Position
    from router.executor.sources import CallRef, Source
    from router.planner.plan import Path

__all__ = ["Collection", "Collector", "compile_collector"]

Collection: TypeAlias = tuple[dict[RepresentationKey, int], list[JsonObject]]
Collector: TypeAlias = Callable[[Answers, ObjectReader], tuple[Collection, ...]]


class CollectorCompiler:
    """Generates the collection of one fetch."""

    def __init__(self, root: Position, calls: Sequence[CallRef]) -> None:
        self._root = root
        self._calls = calls
        self._writer = FunctionWriter("collect", "A, T, R")
        self.unreachable: list[CallRef] = []
        self._reached = False

    def compile(self) -> Collector:
        """Return the function. Raises CodeTooLargeError."""
        for number, ref in enumerate(self._calls):
            self._writer.line(f"n{number} = {{}}")
            self._writer.line(f"r{number} = []")
            self._reached = False
            for path in ref.call.paths:
                _PathCompiler(self, self._writer, ref, number, path).write(self._root)
            if not self._reached:
                self.unreachable.append(ref)
        pairs = "".join(f"(n{number}, r{number}), " for number in range(len(self._calls)))
        self._writer.line(f"return ({pairs})")
        function = self._writer.compile()

        def collect(answers: Answers, reader: ObjectReader) -> tuple[Collection, ...]:
            collected: tuple[Collection, ...] = function(answers.data, answers.tables, reader)
            return collected

        return collect

    def reached(self) -> None:
        """Note that there are objects which the current call can be made for."""
        self._reached = True


class _PathCompiler:
    """Generates the walk along one path."""

    def __init__(
        self,
        whole: CollectorCompiler,
        writer: FunctionWriter,
        ref: CallRef,
        number: int,
        path: Path,
    ) -> None:
        self._whole = whole
        self._writer = writer
        self._ref = ref
        self._number = number
        self._path = path
        self._objects = ObjectCode(writer, ref.ancestors)

    def write(self, root: Position) -> None:
        variables: dict[Source, str] = {}
        for source in root.inline:
            if source.fetch in self._ref.ancestors:
                variables[source] = self._writer.fresh("a")
                self._writer.line(f"{variables[source]} = A[{source.fetch}]")
        if variables:
            self._object(root, Scope(variables), 0)

    def _object(self, position: Position, scope: Scope, step: int) -> None:
        """Write what happens with an object ``step`` steps down the path."""
        wanted = self._path[step - 1].types if step else None
        static = position.static_type
        if static is not None:
            if wanted is None or static in wanted:
                self._go_on(position.layout(static), scope.inner(repr(static)), step)
            return
        typename = self._objects.typename(position, scope)
        if typename is None:
            if wanted is None:
                self._go_on(position.layout(None), scope, step)
            return
        word = "if"
        for layout, names in position.groups():
            names = tuple(name for name in names if wanted is None or name in wanted)
            if names:
                with self._writer.block(f"{word} {self._objects.is_type(typename, names)}:"):
                    known = repr(names[0]) if len(names) == 1 else typename
                    self._go_on(layout, scope.inner(known), step)
                word = "elif"
        if (
            wanted is None
        ):  # an object may be of no type that was asked about, and still have the key
            with self._writer.block(f"{word} {typename} is None:"):
                self._go_on(position.layout(None), scope.inner(), step)

    def _go_on(self, layout: Layout, scope: Scope, step: int) -> None:
        if step == len(self._path):
            self._collect(layout, scope)
            return
        key = self._path[step].key
        access = layout.access.get(key)
        reads = self._objects.reads(access) if access is not None else ()
        if access is None or not reads:
            return
        contexts = self._objects.contexts(layout, scope, self._ref)
        values: list[str] = []
        for read in reads:
            value = self._writer.fresh("v")
            variable = self._objects.source(layout, read.source, scope)
            self._writer.line(f"{value} = {variable}[{read.key!r}]")
            values.append(value)
        position = layout.child(key)
        sources = [
            source
            for source, read in zip(position.inline, access.reads, strict=True)
            if read in reads
        ]
        self._descend(access.type, values, position, (sources, contexts), step + 1)

    def _descend(
        self,
        graphql_type: GraphQLOutputType,
        values: list[str],
        position: Position,
        known: tuple[list[Source], ContextVariables],
        step: int,
    ) -> None:
        """Write what happens with a value.

        ``known`` are the sources it comes from, and the contextual values given to it.
        """
        items_are = item_type(graphql_type)
        if items_are is not None:
            items = [self._writer.fresh("o") for _ in values]
            iterable = values[0] if len(values) == 1 else f"join({', '.join(values)})"
            with self._writer.block(f"for {', '.join(items)} in {iterable} or ():"):
                self._descend(items_are, items, position, known, step)
            return
        present = " or ".join(f"{value} is not None" for value in values)
        with self._writer.block(f"if {present}:"):
            if len(values) > 1:
                for value in values:
                    with self._writer.block(f"if {value} is None:"):
                        self._writer.line(f"{value} = NULLS")
            sources, contexts = known
            variables = dict(zip(sources, values, strict=True))
            self._object(position, Scope(variables, contexts=contexts), step)

    def _collect(self, layout: Layout, scope: Scope) -> None:
        join = next((join for join in layout.joins if join.ref is self._ref), None)
        if join is None:
            return
        self._whole.reached()
        code = self._objects.join(layout, join, scope)
        needed = code.needed if code.made is None else [code.made]
        numbers, made = f"n{self._number}", f"r{self._number}"
        conditions = [f"{value} is not None" for value in needed]
        key = self._writer.fresh("k")
        with self._writer.block(f"if {' and '.join(conditions) or 'True'}:"):
            self._writer.line(f"{key} = {code.key}")
            with self._writer.block(f"if {key} not in {numbers}:"):
                self._writer.line(f"{numbers}[{key}] = len({made})")
                self._writer.line(f"{made}.append({code.representation})")


def compile_collector(root: Position, calls: Sequence[CallRef]) -> tuple[Collector, list[CallRef]]:
    """Return the collector of a fetch, and those of its calls that can never have objects.

    Raises CodeTooLargeError.
    """
    compiler = CollectorCompiler(root, calls)
    return compiler.compile(), compiler.unreachable
