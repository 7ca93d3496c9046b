"""Selections in the form planning works on: per set of runtime types, one flat list of fields.

An operation's selection set (with fragments, conditions and repeated fields) and a field set (a
``@key`` or ``@requires``) become the same thing here. At a position of declared type ``Node`` with
the implementations ``A, B, C``

    { id ... on A { x } ... on A { y @include(if: $v) } }

collects into two *units*: ``{A}: id, x, y @include`` and ``{B, C}: id``. Fragments are gone: what
applies to a runtime type is decided by the supergraph's possible types, never by one subgraph's,
and each fetch prints its own fragments from the type sets. Source: GraphQL specification,
CollectFields (section 6.3.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from graphql import DirectiveNode, Node, SelectionSetNode

    from router.query_graph.graph import ViewNode

__all__ = ["TYPENAME", "Collector", "Condition", "Conditions", "OpField", "Source", "Unit"]

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """``@include(if: $variable)`` (``wanted``) or ``@skip(if: $variable)`` (not ``wanted``).

    While planning also a ``@defer``: what stands below it is wanted in a later part of the answer.
    ``variable`` is then the deferral's id. Such never get into a plan's conditions.
    """

    variable: str
    wanted: bool
    deferral: bool = False


Conditions: TypeAlias = frozenset[Condition]
ALWAYS: Conditions = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """A selection set that contributes to a position, under the conditions it stands in."""

    selections: SelectionSetNode
    conditions: Conditions = ALWAYS


@dataclass(frozen=True, slots=True, eq=False)
class OpField:
    """One field wanted on every object of a unit. Compared by identity: it is also a cache key."""

    output_key: str
    name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    conditions: Conditions = ALWAYS
    asked_on: str = (
        ""  # the type condition it stood under; an interface asks its interface objects first
    )
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """What is wanted of the objects at one position whose runtime type is in ``types``.

    All ``types`` are alike to the query graph, so planning ``representative`` plans them all.
    ``reach`` are the views by which any plan could come here, of what a client asks.
    """

    types: frozenset[str]
    representative: str
    fields: tuple[OpField, ...]
    reach: frozenset[ViewNode] = frozenset()


@dataclass(slots=True)
class _Flat:
    types: frozenset[str]
    field: OpField


@dataclass(slots=True)
class _Scope:
    """Where the walk through fragments stands."""

    types: frozenset[str]
    asked_on: str
    conditions: Conditions
    visited: frozenset[str] = field(default_factory=frozenset)


class Collector:
    """Collects selection sets into units.

    ``possible_types`` gives the supergraph's object types of a named type; ``likeness`` a hashable
    that is equal for two types which no move can tell apart, given the declared type and the fields
    wanted. ``deferrals`` are by the ``id()`` of the fragment that is deferred.
    """

    def __init__(
        self,
        possible_types: Callable[[str], frozenset[str]],
        likeness: Callable[[str, str, Sequence[str]], Hashable],
        fragments: Mapping[str, FragmentDefinitionNode] | None = None,
        deferrals: Mapping[int, Condition] | None = None,
    ) -> None:
        self._possible_types = possible_types
        self._likeness = likeness
        self._fragments = fragments or {}
        self._deferrals = deferrals or {}

    def collect(
        self, declared: str, sources: Sequence[Source], types: frozenset[str] | None = None
    ) -> tuple[Unit, ...]:
        """The units of a position of type ``declared``, restricted to ``types`` when given."""
        possible = self._possible_types(declared) if types is None else types
        flat: list[_Flat] = []
        for source in sources:
            scope = _Scope(possible, declared, source.conditions)
            flat.extend(self._flatten(source.selections, scope))
        return tuple(self._units(declared, possible, flat))

    def collect_as_interface(self, declared: str, sources: Sequence[Source]) -> Unit | None:
        """One unit for the declared type itself, when every runtime type wants the same.

        For objects of unknown type, as an interface object gives them. None where fragments tell
        types apart.
        """
        possible = self._possible_types(declared)
        flat = [
            item
            for source in sources
            for item in self._flatten(
                source.selections, _Scope(possible, declared, source.conditions)
            )
        ]
        if any(item.types != possible for item in flat):
            return None
        return Unit(possible, declared, _merge([item.field for item in flat]))

    def _flatten(self, selections: SelectionSetNode, scope: _Scope) -> Iterator[_Flat]:
        for node in selections.selections:
            conditions = _conditions(node.directives or (), scope.conditions)
            if conditions is None:
                continue
            if self._deferrals and id(node) in self._deferrals:
                conditions |= {self._deferrals[id(node)]}
            inner = replace(scope, conditions=conditions)
            if isinstance(node, FieldNode):
                yield _Flat(scope.types, _op_field(node, inner))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else None
                yield from self._fragment(condition, node.selection_set, inner)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in scope.visited:
                fragment = self._fragments[node.name.value]
                inner.visited = scope.visited | {node.name.value}
                condition = fragment.type_condition.name.value
                yield from self._fragment(condition, fragment.selection_set, inner)

    def _fragment(
        self, condition: str | None, selections: SelectionSetNode, scope: _Scope
    ) -> Iterator[_Flat]:
        if condition is not None:
            types = scope.types & self._possible_types(condition)
            if not types:
                return
            # A wider condition (`... on Node` inside `User`) does not change what was asked.
            asked_on = condition if types != scope.types else scope.asked_on
            scope = replace(scope, types=types, asked_on=asked_on)
        yield from self._flatten(selections, scope)

    def _units(
        self, declared: str, possible: frozenset[str], flat: Sequence[_Flat]
    ) -> Iterator[Unit]:
        if not possible and flat:  # an interface that nothing implements
            yield Unit(possible, declared, _merge([item.field for item in flat]))
        blocks: dict[tuple[int, ...], list[str]] = {}
        for type_ in sorted(possible):
            applying = tuple(i for i, item in enumerate(flat) if type_ in item.types)
            blocks.setdefault(applying, []).append(type_)
        for applying, names in blocks.items():
            if not applying:
                continue
            fields = _merge([flat[i].field for i in applying])
            wanted = sorted({f.name for f in fields})
            alike: dict[Hashable, list[str]] = {}
            for type_ in names:
                alike.setdefault(self._likeness(declared, type_, wanted), []).append(type_)
            for group in alike.values():
                yield Unit(frozenset(group), group[0], fields)


def _merge(fields: Sequence[OpField]) -> tuple[OpField, ...]:
    """Fields with one output key become one, their conditions moved down to their children where
    they differ.

    ``a { x }  a @include(if: $v) { y }`` -> ``a { x  y @include(if: $v) }``; a leaf that is wanted
    anyway stays unconditional.
    """
    merged: list[OpField] = []
    for candidate in fields:
        for index, other in enumerate(merged):
            if other.output_key != candidate.output_key:
                continue
            if other.conditions <= candidate.conditions:
                merged[index] = _absorb(other, candidate)
                break
            if candidate.conditions < other.conditions:
                merged[index] = _absorb(candidate, other)
                break
        else:
            merged.append(candidate)
    return tuple(merged)


def _absorb(wider: OpField, narrower: OpField) -> OpField:
    extra = narrower.conditions - wider.conditions
    moved = tuple(Source(s.selections, s.conditions | extra) for s in narrower.sources)
    return replace(wider, sources=wider.sources + moved)


def _op_field(node: FieldNode, scope: _Scope) -> OpField:
    arguments = ""
    variables: frozenset[str] = frozenset()
    if node.arguments:
        arguments = "(" + ", ".join(print_ast(a) for a in node.arguments) + ")"
        variables = _variables(node.arguments)
    return OpField(
        output_key=node.alias.value if node.alias else node.name.value,
        name=node.name.value,
        arguments=arguments,
        variables=variables,
        conditions=scope.conditions,
        asked_on=scope.asked_on,
        sources=(Source(node.selection_set),) if node.selection_set else (),
    )


def _variables(nodes: Sequence[Node]) -> frozenset[str]:
    found: set[str] = set()

    class Find(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            found.add(node.name.value)

    for node in nodes:
        visit(node, Find())
    return frozenset(found)


def _conditions(directives: Sequence[DirectiveNode], outer: Conditions) -> Conditions | None:
    """With those of ``@skip`` and ``@include`` added; None when they can never hold."""
    result = set(outer)
    for directive in directives:
        if directive.name.value not in {"skip", "include"}:
            continue
        wanted = directive.name.value == "include"
        value = directive.arguments[0].value if directive.arguments else None
        if isinstance(value, BooleanValueNode):
            if value.value is not wanted:
                return None
        elif isinstance(value, VariableNode):
            if Condition(value.name.value, not wanted) in result:
                return None
            result.add(Condition(value.name.value, wanted))
    return frozenset(result)
