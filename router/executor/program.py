"""A plan compiled once, run many times: the executor's entry from the planner's side.

A :class:`Program` belongs to one operation text and its plan. Its conditions (``@skip``,
``@include``) depend on a few variables only; for each combination of their values that occurs
there is a :class:`Variant` without any conditions: the fetches that are left, how to collect
their representations, and how to project the response.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import DocumentNode, OperationDefinitionNode, value_from_ast_untyped

from router.executor.client_selection import ClientSelection, KeyTree
from router.executor.codegen import CodeTooLargeError, compile_collector, compile_projection
from router.executor.conditions import condition_variables, prune_fetch
from router.executor.contextual import ContextualFetch, request_head
from router.executor.errors import ProgramError
from router.executor.fetch_blocks import FetchBlocks
from router.executor.introspection import introspection_part
from router.executor.positions import Position
from router.executor.projection_interpreter import SlotCache
from router.executor.resumption import CursorRule, Resumption, compile_resumption
from router.executor.sources import CallRef, PendingCall, Source
from router.executor.type_model import ExecutableSupergraph, TypeModel
from router.executor.withheld import ReportTo, Withheld, withheld_errors, withheld_paths
from router.planner.deferrals import find_deferrals
from router.planner.plan import (
    Deferral,
    EntityCall,
    FetchNode,
    FieldSelection,
    OperationKind,
    QueryPlan,
    RepresentationSpec,
    SelectionSet,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.executor.codegen.collection import Collector
    from router.executor.codegen.projection import Projection
    from router.executor.context import ErrorDict, Json

__all__ = ["CompiledFetch", "Program", "Variant", "compile_program"]

_MAX_VARIANTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFetch:
    """One fetch of a variant.

    Fetches refer to each other by ``index``, their place in the variant.
    """

    index: int
    node: FetchNode
    calls: tuple[CallRef, ...]
    waits_for: int  # how many fetches have to be done before
    wakes: tuple[int, ...]  # the fetches that wait for this one
    collect: Collector | None  # None: of a root fetch, or left to the reader
    head: bytes  # the request body up to the variables
    off: tuple[str, ...]  # representation variables of calls that this variant does not make
    contextual: ContextualFetch | None  # if a call has contexts

    @property
    def subgraph(self) -> str:
        """The name of the subgraph asked."""
        return self.node.subgraph

    @property
    def selections(self) -> SelectionSet:
        """The root fields asked for."""
        return self.node.selections

    @property
    def is_query(self) -> bool:
        """Whether asking twice does no harm."""
        return self.node.kind is OperationKind.QUERY


class Variant:
    """A program for one set of condition values: no conditions left."""

    def __init__(
        self,
        program: Program,
        conditions: Mapping[str, bool],
        deferrals: Mapping[int, Deferral] | None = None,
    ) -> None:
        self.types = program.types
        self.client = _client_selection(program, conditions, deferrals)
        self.withheld_errors = _withheld_errors(program, conditions)
        self.reports_in_extensions = (
            program.withheld is not None and program.withheld.report_to is ReportTo.EXTENSIONS
        )
        kept = _kept(program.plan, conditions)
        self._whole = {node.id: node for node in program.plan.fetches}
        before = _ancestors(program.plan)
        index_of = {node.id: index for index, node in enumerate(kept)}
        self.lineage: tuple[frozenset[int], ...] = tuple(
            frozenset(index_of[id_] for id_ in (node.id, *before[node.id]) if id_ in index_of)
            for node in kept
        )
        self.refs = _refs(kept, self.lineage)
        self.root = self._root_position(program, kept)
        self.fetches = self._compile_fetches(kept, strict=not conditions)
        self.subgraphs = tuple(node.subgraph for node in kept)
        # What is deferred is found by the interpreter only.
        self.projection = None if deferrals else self._compile_projection()
        self.blocks = FetchBlocks(kept, self.lineage, deferrals or {})
        whole = _client_selection(program, conditions, None) if deferrals else self.client
        root_fields = whole.fields(self.root.declared, self.root.declared, whole.root)
        self.introspection = introspection_part(
            program.supergraph.api_schema, program.document, program.operation, root_fields
        )
        self.slots = SlotCache()
        self._keys: KeyTree | None = None
        self._supergraph = program.supergraph
        self._resumption: tuple[Resumption | None] | None = None

    @property
    def keys(self) -> KeyTree:
        """Every response key that the client asked for, by level."""
        if self._keys is None:
            self._keys = self.client.key_tree()
        return self._keys

    def resumption(self, cursors: Mapping[str, CursorRule]) -> Resumption | None:
        """Return how the source of a subscription is resumed, None when it cannot be.

        ``cursors`` are the executor's settings, so always the same ones.
        """
        if self._resumption is None:
            node = self.fetches[0].node
            self._resumption = (compile_resumption(self._supergraph, node, cursors),)
        return self._resumption[0]

    def _root_position(self, program: Program, kept: Sequence[FetchNode]) -> Position:
        inline = tuple(
            Source(index, node.selections)
            for index, node in enumerate(kept)
            if not node.entity_calls
        )
        pending = tuple(PendingCall(ref, path, 0) for ref in self.refs for path in ref.call.paths)
        return Position(self.types, program.root_type, inline, pending)

    def _compile_fetches(
        self, kept: Sequence[FetchNode], *, strict: bool
    ) -> tuple[CompiledFetch, ...]:
        waits: list[set[int]] = [set() for _ in kept]
        wakes: list[list[int]] = [[] for _ in kept]
        for index, before in enumerate(self._direct(kept)):
            waits[index] = before
            for other in sorted(before):
                wakes[other].append(index)
        return tuple(
            self._compile_fetch(index, node, len(waits[index]), tuple(wakes[index]), strict=strict)
            for index, node in enumerate(kept)
        )

    def _direct(self, kept: Sequence[FetchNode]) -> list[set[int]]:
        """Return for each fetch those it waits for, less those others of them wait for."""
        found: list[set[int]] = []
        for index in range(len(kept)):
            before = set(self.lineage[index]) - {index}
            implied = {far for near in before for far in self.lineage[near] if far != near}
            found.append(before - implied)
        return found

    def _compile_fetch(
        self, index: int, node: FetchNode, waits_for: int, wakes: tuple[int, ...], *, strict: bool
    ) -> CompiledFetch:
        calls = tuple(ref for ref in self.refs if ref.fetch == index)
        collect: Collector | None = None
        if calls:
            try:
                collect, unreachable = compile_collector(self.root, calls)
            except CodeTooLargeError:
                unreachable = []
            if unreachable and strict:
                raise ProgramError(f"fetch {node.id} of the plan has a call that no object is for")
        made = {ref.call.variable for ref in calls}
        whole = self._whole[node.id].entity_calls
        declared = (call.variable for call in whole if not call.enters_root)
        off = tuple(name for name in declared if name not in made)
        contextual: ContextualFetch | None = None
        if any(ref.call.contexts for ref in calls):
            contextual = ContextualFetch(self._whole[node.id], calls)
        head = request_head(node.operation, node.operation_name)
        return CompiledFetch(index, node, calls, waits_for, wakes, collect, head, off, contextual)

    def _compile_projection(self) -> Projection | None:
        try:
            return compile_projection(self.root, self.client)
        except CodeTooLargeError:
            return None


class Program:
    """A plan and the operation it is for, ready to run."""

    def __init__(
        self,
        supergraph: ExecutableSupergraph,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        plan: QueryPlan,
        withheld: Withheld | None = None,
    ) -> None:
        self.withheld = withheld
        self.supergraph = supergraph
        self.document = document
        self.operation = operation
        self.plan = plan
        self.types = TypeModel(supergraph)
        self.root_type = _root_type(supergraph, plan.kind)
        self._condition_variables = condition_variables(document, operation, plan)
        self._defaults = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in operation.variable_definitions or ()
            if definition.default_value is not None
        }
        self._deferrals = find_deferrals(document, operation) if plan.deferrals else {}
        self._deferring_variables = tuple(
            sorted({d.variable for d in plan.deferrals if d.variable is not None})
        )
        self._variants: dict[tuple[bool, ...], Variant] = {}
        self._only: Variant | None = None
        if not self._condition_variables and not self._deferring_variables:
            self._only = Variant(self, {}, self._deferrals)

    @property
    def subscription_field(self) -> str | None:
        """The name of a subscription's root field, None of another operation."""
        if self.plan.kind is not OperationKind.SUBSCRIPTION or not self.plan.fetches:
            return None
        root = self.plan.fetches[0].selections[0]
        return root.name if isinstance(root, FieldSelection) else None

    def defers(self, variables: Mapping[str, Json]) -> bool:
        """Tell whether anything is deferred with these values of the variables."""
        return self.variant(variables).client.defers

    def variant(self, variables: Mapping[str, Json]) -> Variant:
        """Return the variant for the values that ``variables`` give to the conditions."""
        if self._only is not None:
            return self._only
        names = self._condition_variables
        values = tuple(variables.get(name, self._defaults.get(name)) is True for name in names)
        if self._deferring_variables:
            values += tuple(
                self._is_not_false(name, variables) for name in self._deferring_variables
            )
        found = self._variants.pop(values, None)
        if found is None:
            conditions = dict(zip(names, values, strict=False))
            found = Variant(self, conditions, self._deferrals_for(variables))
            if len(self._variants) >= _MAX_VARIANTS:
                del self._variants[next(iter(self._variants))]
        self._variants[values] = found  # last in, last out
        return found

    def _is_not_false(self, name: str, variables: Mapping[str, Json]) -> bool:
        return variables.get(name, self._defaults.get(name)) is not False

    def _deferrals_for(self, variables: Mapping[str, Json]) -> Mapping[int, Deferral]:
        """Return the deferrals that count: those whose ``if`` is not false."""
        return {
            node: deferral
            for node, deferral in self._deferrals.items()
            if deferral.variable is None or self._is_not_false(deferral.variable, variables)
        }


def compile_program(
    supergraph: ExecutableSupergraph,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    plan: QueryPlan,
    withheld: Withheld | None = None,
) -> Program:
    """Compile a plan for the operation it was made for.

    ``document`` holds the operation's fragments; both have been validated against the API schema.
    With ``withheld``, the plan is for the operation without what is withheld. Raises ProgramError
    when plan and supergraph do not fit together, which is a defect.
    """
    return Program(supergraph, document, operation, plan, withheld)


def _client_selection(
    program: Program, conditions: Mapping[str, bool], deferrals: Mapping[int, Deferral] | None
) -> ClientSelection:
    return ClientSelection(
        program.supergraph.api_schema,
        program.document,
        program.operation,
        conditions,
        program.withheld,
        deferrals,
    )


def _withheld_errors(program: Program, conditions: Mapping[str, bool]) -> list[ErrorDict]:
    withheld = program.withheld
    if withheld is None or withheld.report_to is ReportTo.NOWHERE:
        return []
    schema = program.supergraph.api_schema
    return withheld_errors(
        withheld_paths(schema, program.document, program.operation, conditions, withheld)
    )


def _root_type(supergraph: ExecutableSupergraph, kind: OperationKind) -> str:
    schema = supergraph.schema
    root = {
        OperationKind.QUERY: schema.query_type,
        OperationKind.MUTATION: schema.mutation_type,
        OperationKind.SUBSCRIPTION: schema.subscription_type,
    }[kind]
    if root is None:
        raise ProgramError(f"the supergraph has no {kind} type")
    name: str = root.name
    return name


def _kept(plan: QueryPlan, conditions: Mapping[str, bool]) -> list[FetchNode]:
    pruned = (prune_fetch(node, conditions) for node in plan.fetches)
    return [node for node in pruned if node is not None]


def _ancestors(plan: QueryPlan) -> dict[int, frozenset[int]]:
    """Return the ids of all fetches that each fetch waits for, directly or not."""
    found: dict[int, frozenset[int]] = {}
    for node in plan.fetches:
        before: set[int] = set()
        for id_ in node.depends_on:
            if id_ not in found:
                raise ProgramError(f"fetch {node.id} of the plan comes before fetch {id_}")
            before |= {id_, *found[id_]}
        found[node.id] = frozenset(before)
    return found


def _refs(kept: Sequence[FetchNode], lineage: Sequence[frozenset[int]]) -> tuple[CallRef, ...]:
    refs: list[CallRef] = []
    for index, node in enumerate(kept):
        ancestors = lineage[index] - {index}
        for call in node.entity_calls:
            tag_spec = len(call.representations) > 1
            refs.append(
                CallRef(len(refs), index, call, ancestors, tag_spec, _is_typed_by_object(call))
            )
    return tuple(refs)


def _is_typed_by_object(call: EntityCall) -> bool:
    """Tell whether representations of a call may differ in nothing but their type."""

    def by_object(spec: RepresentationSpec) -> bool:
        return spec.typename is None and (spec.types is None or len(spec.types) > 1)

    return any(by_object(spec) for spec in call.representations)
