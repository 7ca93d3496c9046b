"""Interfaces take over the access rules of their implementations.

A client that asks for a field on an interface may get any implementation's, so it must satisfy the
rules of all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.access import ACCESS, access_of, uses_of
from router.composition.model import TypeKind
from router.federation.access import FREE
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.composition.merge.context import MergeContext
    from router.composition.supergraph_model import MergedElement

__all__ = ["restrict_interfaces"]


def restrict_interfaces(context: MergeContext) -> None:
    """Put the implementations' access rules on every interface and its fields."""
    types = context.supergraph.types.values()
    for interface in types:
        if interface.kind is not TypeKind.INTERFACE:
            continue
        implementations = [
            merged
            for merged in types
            if merged.kind is TypeKind.OBJECT and interface.name in merged.interfaces
        ]
        _restrict(context, interface.name, interface, implementations)
        for field in interface.fields.values():
            fields = [
                item.fields[field.name] for item in implementations if field.name in item.fields
            ]
            _restrict(context, f"{interface.name}.{field.name}", field, fields)


def _restrict(
    context: MergeContext,
    coordinate: str,
    element: MergedElement,
    implementations: Iterable[MergedElement],
) -> None:
    rules = [access_of(item.uses) for item in (element, *implementations)]
    rules = [rule for rule in rules if rule != FREE]
    if not rules:
        return
    combined = FREE
    for rule in rules:
        combined &= rule
    element.uses = [use for use in element.uses if use.kind not in ACCESS]
    element.uses += uses_of(combined, context.names)
    if len(set(rules)) > 1:
        context.findings.hint(
            HintCode.MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS,
            f'The access rules of "{coordinate}" are those of all its implementations together.',
            coordinates=(coordinate,),
        )
