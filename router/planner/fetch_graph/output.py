"""The last stage: groups of steps become the plan's fetch nodes, with the text each subgraph is
sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphql import print_ast

from router.planner.fetch_graph.representations import merge_representations
from router.planner.fetch_graph.selection import Shape
from router.planner.operation_text import operation_text
from router.planner.plan import (
    ContextVariable,
    EntityCall,
    FetchNode,
    FieldSelection,
    FragmentSelection,
    OperationKind,
    RepresentationSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphql import OperationDefinitionNode

    from router.planner.fetch_graph.contexts import StepContext
    from router.planner.fetch_graph.step import Step
    from router.planner.plan import Condition, ContextSource, Path, SelectionSet
    from router.supergraph import Supergraph

__all__ = ["OutputBuilder"]


class OutputBuilder:
    """Makes the fetch nodes of one operation."""

    def __init__(self, supergraph: Supergraph, operation: OperationDefinitionNode) -> None:
        self._supergraph = supergraph
        self._kind = OperationKind(operation.operation.value)
        self._name = operation.name.value if operation.name else None
        self._definitions = {v.variable.name.value: v for v in operation.variable_definitions or ()}
        self._sent = self._prefix("representations")
        self._filled = self._prefix("contextualArgument")

    def _prefix(self, name: str) -> str:
        """How names of our own variables begin: as none of the client's does."""
        while any(own.startswith(name) for own in self._definitions):
            name = f"_{name}"
        return name

    def fetches(self, groups: Sequence[Sequence[Step]]) -> tuple[FetchNode, ...]:
        """One fetch node per group."""
        ids = {step: index for index, group in enumerate(groups) for step in group}
        return tuple(self._fetch(index, group, ids) for index, group in enumerate(groups))

    def _fetch(self, index: int, group: Sequence[Step], ids: dict[Step, int]) -> FetchNode:
        depends_on = sorted({ids[needed] for step in group for needed in step.depends_on})
        first = group[0]
        calls: list[EntityCall] = []
        selections: SelectionSet = ()
        conditions: tuple[Condition, ...] = ()
        any_of: tuple[tuple[Condition, ...], ...] = ()
        kind = OperationKind.QUERY
        if first.path is None:
            kind = self._kind
            conditions, any_of = tuple(sorted(first.conditions())), first.any_of()
            selections = first.selection.finish(self._supergraph, frozenset(conditions))
        else:
            calls = self._calls(group)
            if len(calls) == 1:
                conditions, any_of = calls[0].conditions, calls[0].any_of
        variables = self._used_variables(selections, calls)
        declarations = tuple(map(self._declaration, variables))
        name = self._operation_name(first.subgraph, index)
        return FetchNode(
            id=index,
            subgraph=first.subgraph,
            kind=kind,
            operation=operation_text(kind, name, declarations, selections, calls),
            operation_name=name,
            variables=tuple(variables),
            declarations=declarations,
            depends_on=tuple(depends_on),
            selections=selections,
            entity_calls=tuple(calls),
            conditions=conditions,
            any_of=any_of,
            blocks=first.blocks(),
        )

    def _operation_name(self, subgraph: str, index: int) -> str | None:
        """``Feed__users__2``: names the client's operation, the subgraph and the fetch, as subgraph
        logs expect.
        """
        if self._name is None:
            return None
        safe = "".join(c if c.isascii() and c.isalnum() else "_" for c in subgraph)
        return f"{self._name}__{safe}__{index}"

    # -- entity calls ----------------------------------------------------------------------------

    def _calls(self, group: Sequence[Step]) -> list[EntityCall]:
        calls: list[_Call] = []
        for step in group:
            call = self._call(step)
            for index, other in enumerate(calls):
                merged = _merge_calls(other, call)
                if merged is not None:
                    calls[index] = merged
                    break
            else:
                calls.append(call)
        if len(calls) == 1:
            return [calls[0].call]
        return [self._numbered(one.call, index) for index, one in enumerate(calls)]

    def _numbered(self, call: EntityCall, index: int) -> EntityCall:
        """One of several calls of a fetch, with names of its own."""
        contexts = (
            replace(context, variable=f"{self._filled}{index}_{context.number}")
            for context in call.contexts
        )
        return replace(
            call,
            response_key=f"_e{index}",
            variable=f"{self._sent}{index}",
            contexts=tuple(contexts),
        )

    def _call(self, step: Step) -> _Call:
        conditions = step.conditions()
        fields = merge_representations(step.keys, step.requires)
        assert fields is not None, "a key and a requirement of one field always have one value"
        assert step.path is not None
        selections, shapes = step.selection.finish_with_shapes(self._supergraph, conditions)
        if step.fragment is not None:
            selections = (FragmentSelection(type_condition=step.fragment, selections=selections),)
        spec = RepresentationSpec(
            types=None if step.any_type else step.types, typename=step.typename, fields=fields
        )
        call = EntityCall(
            response_key="_entities",
            variable=self._sent,
            paths=(_with_contexts(step.path, step.contexts),),
            representations=(spec,),
            selections=selections,
            conditions=tuple(sorted(conditions)),
            any_of=step.any_of(),
            enters_root=step.enters_root,
            contexts=self._contexts(step),
        )
        return _Call(call, Shape("", shapes))

    def _contexts(self, step: Step) -> tuple[ContextVariable, ...]:
        types = self._supergraph.context_values
        return tuple(
            ContextVariable(
                number=number, variable=f"{self._filled}_{number}", type=types[number].type
            )
            for number in sorted({context.value.number for context in step.contexts})
        )

    # -- variables -------------------------------------------------------------------------------

    def _used_variables(self, selections: SelectionSet, calls: Iterable[EntityCall]) -> list[str]:
        used = _variables(selections)
        for call in calls:
            used |= _variables(call.selections)
        return [name for name in self._definitions if name in used]

    def _declaration(self, variable: str) -> str:
        node = self._definitions[variable]
        default = f"={print_ast(node.default_value)}" if node.default_value else ""
        return f"${variable}:{print_ast(node.type)}{default}"


def _with_contexts(path: Path, contexts: Iterable[StepContext]) -> Path:
    """The path with the contextual values that are read on the way."""
    values: dict[int, list[ContextSource]] = {}
    for context in contexts:
        values.setdefault(context.depth, []).append(context.value)
    return tuple(
        replace(step, contexts=tuple(sorted(values[depth], key=_context_order)))
        if depth in values
        else step
        for depth, step in enumerate(path)
    )


def _context_order(value: ContextSource) -> tuple[int, list[str]]:
    return value.number, sorted(value.types or ())


@dataclass(frozen=True, slots=True)
class _Call:
    """A call, and the shape of what it asks of an entity."""

    call: EntityCall
    shape: Shape


def _merge_calls(one: _Call, other: _Call) -> _Call | None:
    """Two calls as one: asking the same in two places, or of several types in one place.

    The types of one place may have one field in two types; asked together they would conflict
    (specification, section 5.3.2).
    """
    if not one.shape.agrees(other.shape):
        return None
    merged = _merged(one.call, other.call)
    return None if merged is None else _Call(merged, one.shape.merge(other.shape))


def _merged(one: EntityCall, other: EntityCall) -> EntityCall | None:
    if (one.conditions, one.any_of) != (other.conditions, other.any_of):
        return None
    paths = tuple(dict.fromkeys((*one.paths, *other.paths)))
    if one.selections == other.selections:
        if one.representations == other.representations:
            return replace(one, paths=paths)
        sent = _sent(one)
        if sent is not None and sent == _sent(other):
            return replace(one, paths=paths, representations=sent)
        if _places(one) == _places(other):
            specs = _merge_specs(one.representations, other.representations)
            return replace(one, paths=paths, representations=specs) if specs else None
    if _places(one) == _places(other) and _exclude_each_other(one, other):
        return replace(
            one,
            paths=paths,
            representations=one.representations + other.representations,
            selections=one.selections + other.selections,
            contexts=tuple(dict.fromkeys((*one.contexts, *other.contexts))),
        )
    return None


def _sent(call: EntityCall) -> tuple[RepresentationSpec, ...] | None:
    """The representations of a call of one object type, with the type in its paths alone; else
    None.

    An object declared so, and one that a union's path leads to, are sent alike.
    """
    (spec, *others) = call.representations
    if others or call.enters_root:
        return None
    if spec.types is None:
        return (spec,)
    if len(spec.types) > 1 or spec.typename is not None:
        return None
    if any(path[-1].types != spec.types for path in call.paths):
        return None
    (name,) = spec.types
    return (replace(spec, types=None, typename=name),)


def _places(call: EntityCall) -> set[tuple[tuple[str, int], ...]]:
    return {tuple((step.key, step.list_depth) for step in path) for path in call.paths}


def _merge_specs(
    one: tuple[RepresentationSpec, ...], other: tuple[RepresentationSpec, ...]
) -> tuple[RepresentationSpec, ...] | None:
    """Specs that send the same for different types, as one spec for all these types."""
    if len(one) != 1 or len(other) != 1:
        return None
    (first,), (second,) = one, other
    if first.types is None or second.types is None:
        return None
    if replace(first, types=second.types) != second:
        return None
    return (replace(first, types=first.types | second.types),)


def _exclude_each_other(one: EntityCall, other: EntityCall) -> bool:
    """Whether no object is sent by both calls, and none gets an answer meant for the other's.

    The second is not given where both ask an interface object: its fragments name the interface.
    """
    types: list[str] = []
    for call in (one, other):
        for spec in call.representations:
            if spec.types is None:
                return False
            types.extend(spec.types)
    conditions = [
        {s.type_condition for s in call.selections if isinstance(s, FragmentSelection)}
        for call in (one, other)
    ]
    return len(types) == len(set(types)) and not conditions[0] & conditions[1]


def _variables(selections: SelectionSet) -> set[str]:
    used: set[str] = set()
    for selection in selections:
        used.update(condition.variable for condition in selection.conditions)
        if isinstance(selection, FieldSelection):
            used |= selection.variables
        used |= _variables(selection.selections)
    return used
