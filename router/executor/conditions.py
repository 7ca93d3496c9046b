"""Conditions (``@skip``, ``@include``) resolved for one set of variable values.

A program is specialised to the truth values of the few variables its conditions use (see
``program``): everything behind this module deals with selections that are simply there or not.
That keeps the source analysis, the generated code and the interpreter free of conditions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionNode,
    VariableNode,
    Visitor,
    visit,
)

from router.planner.plan import (
    Condition,
    EntityCall,
    FetchNode,
    FieldSelection,
    QueryPlan,
    Selection,
    SelectionSet,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["condition_variables", "is_selected", "prune_fetch"]

_WANTED = {"include": True, "skip": False}


def condition_variables(
    document: DocumentNode, operation: OperationDefinitionNode, plan: QueryPlan
) -> tuple[str, ...]:
    """Return the names of the variables that conditions depend on, sorted."""
    names = {condition.variable for fetch in plan.fetches for condition in _conditions_of(fetch)}

    class Collector(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: object) -> None:
            if node.name.value in _WANTED:
                names.update(_variables(node))

    collector = Collector()
    visit(operation, collector)
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            visit(definition, collector)
    return tuple(sorted(names))


def _variables(directive: DirectiveNode) -> Iterator[str]:
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value


def _conditions_of(fetch: FetchNode) -> Iterator[Condition]:
    yield from _guards(fetch)
    yield from _conditions_in(fetch.selections)
    for call in fetch.entity_calls:
        yield from _guards(call)
        yield from _conditions_in(call.selections)


def _guards(node: FetchNode | EntityCall) -> Iterator[Condition]:
    yield from node.conditions
    for alternative in node.any_of:
        yield from alternative


def _conditions_in(selections: SelectionSet) -> Iterator[Condition]:
    for selection in selections:
        yield from selection.conditions
        yield from _conditions_in(selection.selections)


def is_selected(node: SelectionNode, values: Mapping[str, bool]) -> bool:
    """Tell whether the ``@skip`` and ``@include`` of a client's selection let it stand."""
    for directive in node.directives or ():
        wanted = _WANTED.get(directive.name.value)
        if wanted is not None and _argument(directive, values) is not wanted:
            return False
    return True


def _argument(directive: DirectiveNode, values: Mapping[str, bool]) -> bool:
    for argument in directive.arguments or ():
        match argument.value:
            case BooleanValueNode(value=value):
                return value
            case VariableNode():
                return values[argument.value.name.value]
    return False  # validation has required the argument; nothing to decide on is as good as false


def _hold(conditions: Iterable[Condition], values: Mapping[str, bool]) -> bool:
    return all(values[condition.variable] is condition.wanted for condition in conditions)


def _is_wanted(node: FetchNode | EntityCall, values: Mapping[str, bool]) -> bool:
    if not _hold(node.conditions, values):
        return False
    return not node.any_of or any(_hold(alternative, values) for alternative in node.any_of)


def prune_fetch(fetch: FetchNode, values: Mapping[str, bool]) -> FetchNode | None:
    """Return what is left of a fetch, None when nothing is."""
    if not _is_wanted(fetch, values):
        return None
    calls = tuple(
        replace(call, selections=_prune(call.selections, values))
        for call in fetch.entity_calls
        if _is_wanted(call, values)
    )
    if fetch.entity_calls and not calls:
        return None
    return replace(fetch, selections=_prune(fetch.selections, values), entity_calls=calls)


def _prune(selections: Sequence[Selection], values: Mapping[str, bool]) -> SelectionSet:
    kept: list[Selection] = []
    for selection in selections:
        if not _hold(selection.conditions, values):
            continue
        inner = _prune(selection.selections, values)
        if isinstance(selection, FieldSelection):
            kept.append(replace(selection, selections=inner))  # empty: the object is `{}`
        elif inner:
            kept.append(replace(selection, selections=inner))
    return tuple(kept)
