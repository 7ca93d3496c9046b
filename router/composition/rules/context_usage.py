"""``@context`` and ``@fromContext``: where they may stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from router.composition.contexts import contextual_arguments, split_context_value
from router.composition.model import TypeKind
from router.composition.rules.context_selection import selection_problems
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from router.composition.contexts import ContextualArgument
    from router.composition.facts import Facts
    from router.composition.model import Subgraph, TypeDefinition
    from router.composition.result import Findings

__all__ = ["check_context_usage"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def check_context_usage(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Check the names of contexts, and every argument that is filled from one."""
    contexts: dict[str, list[TypeDefinition]] = {}
    for definition in subgraph.types.values():
        for use in definition.all(FederationDirective.CONTEXT):
            name = use.string("name") or ""
            contexts.setdefault(name, []).append(definition)
            if not _NAME.fullmatch(name):
                findings.error(
                    ErrorCode.CONTEXT_NAME_INVALID,
                    f'Context name "{name}" is invalid: it should start with a letter and have only'
                    " letters and digits.",
                    subgraphs=(subgraph.name,),
                    coordinates=(definition.name,),
                    line=use.line,
                )
    for argument in contextual_arguments(subgraph):
        for code, problem in _problems(subgraph, facts, contexts, argument):
            findings.error(
                code,
                problem,
                subgraphs=(subgraph.name,),
                coordinates=(argument.coordinate,),
                line=argument.line,
            )


def _problems(
    subgraph: Subgraph,
    facts: Facts,
    contexts: Mapping[str, list[TypeDefinition]],
    argument: ContextualArgument,
) -> Iterator[tuple[ErrorCode, str]]:
    place = list(_misplaced(subgraph, argument))
    if place:
        # Apollo's code for these, although it says little.
        yield from ((ErrorCode.CONTEXT_NOT_SET, problem) for problem in place)
        return
    parent = argument.parent.name
    if not any(key.resolvable for key in facts.keys.get(parent, ())):
        yield (
            ErrorCode.CONTEXT_NO_RESOLVABLE_KEY,
            f'Object "{parent}" has no resolvable key but has a field with a contextual argument.',
        )
    split = split_context_value(argument.text)
    if split is None:
        yield (
            ErrorCode.NO_CONTEXT_IN_SELECTION,
            f'@fromContext argument does not reference a context "{argument.text}".',
        )
        return
    name, selection = split
    used = f'Context "{name}" is used in "{argument.coordinate}"'
    if name not in contexts:
        yield ErrorCode.CONTEXT_NOT_SET, f"{used} but is never set."
        return
    for problem in selection_problems(subgraph, selection, contexts[name], argument.argument.type):
        yield (
            ErrorCode.CONTEXT_INVALID_SELECTION,
            f"{used} but the selection is invalid: {problem}.",
        )


def _misplaced(subgraph: Subgraph, argument: ContextualArgument) -> Iterator[str]:
    if argument.parent.kind is TypeKind.INTERFACE:
        yield (
            "@fromContext argument cannot be used on a field that exists on an abstract type"
            f' "{argument.coordinate}".'
        )
    for name in argument.parent.interfaces:
        interface = subgraph.types.get(name)
        if interface is not None and argument.field.name in interface.fields:
            yield (
                "@fromContext argument cannot be used on a field implementing an interface field"
                f' "{name}.{argument.field.name}".'
            )
    if argument.argument.default is not None:
        yield f'@fromContext arguments may not have a default value: "{argument.coordinate}".'
