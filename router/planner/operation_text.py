"""The text of the operation that a fetch sends to its subgraph.

The planner prints it once per plan. The executor prints entity calls again where a request needs
one of them several times: with contexts there is a call for each combination of their values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from router.planner.plan import FragmentSelection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.planner.plan import (
        Condition,
        EntityCall,
        FieldSelection,
        OperationKind,
        SelectionSet,
    )

__all__ = ["arguments_text", "context_variables", "operation_text"]

_Variables: TypeAlias = "Mapping[int, str]"  # the variable with the contextual value of a number
_NONE: _Variables = {}


def operation_text(
    kind: OperationKind,
    name: str | None,
    declarations: Sequence[str],
    selections: SelectionSet,
    calls: Sequence[EntityCall] = (),
) -> str:
    """An operation with root fields (``selections``) or entity calls.

    ``declarations`` are those of the client's variables that it uses: ``$first:Int=10``.
    """
    if calls and calls[0].enters_root:
        selections, calls = calls[0].selections, ()
    declared: list[str] = []
    for call in calls:
        declared.append(f"${call.variable}:[_Any!]!")
        declared += [f"${context.variable}:{context.type}" for context in call.contexts]
    declared += declarations
    head = f"{kind.value} {name}" if name else kind.value
    if declared:
        head += f"({','.join(declared)})"
    if not calls:
        return f"{head}{_print(selections, _NONE)}"
    return f"{head}{{{' '.join(map(_call, calls))}}}"


def arguments_text(field: FieldSelection, variables: _Variables) -> str:
    """The arguments of a field with the parentheses, contextual ones last; "" without any."""
    if not field.contextual:
        return field.arguments
    filled = [f"{argument.name}: ${variables[argument.number]}" for argument in field.contextual]
    given = [field.arguments[1:-1]] if field.arguments else []
    return f"({', '.join([*given, *filled])})"


def context_variables(call: EntityCall) -> _Variables:
    """The variables of a call's contextual values, by the values' numbers."""
    return {context.number: context.variable for context in call.contexts}


def _call(call: EntityCall) -> str:
    alias = "" if call.response_key == "_entities" else f"{call.response_key}:"
    selections = _print(call.selections, context_variables(call))
    return f"{alias}_entities(representations:${call.variable}){selections}"


def _print(selections: SelectionSet, variables: _Variables) -> str:
    parts = []
    for selection in selections:
        if isinstance(selection, FragmentSelection):
            head = f"...on {selection.type_condition}"
        else:
            alias = selection.response_key
            head = selection.name if alias == selection.name else f"{alias}:{selection.name}"
            head += arguments_text(selection, variables)
        text = head + (_print(selection.selections, variables) if selection.selections else "")
        parts.append(_under(selection.conditions, head, text))
    return "{" + " ".join(parts) + "}"


def _under(conditions: Sequence[Condition], head: str, text: str) -> str:
    """A selection under its conditions. A directive stands once in a place: more need fragments."""
    printed = [f"@{'include' if c.wanted else 'skip'}(if:${c.variable})" for c in conditions]
    if not printed:
        return text
    *outer, last = printed
    text = head + last + text[len(head) :]
    for directive in reversed(outer):
        text = f"...{directive}{{{text}}}"
    return text
