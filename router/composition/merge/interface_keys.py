"""Who knows which implementations of an interface.

A subgraph that is asked for objects of an interface by its key must know all its implementations,
or the router could not tell which type an object has; one that sees the interface as an object must
know none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import TypeKind
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext
    from router.composition.supergraph_model import MergedType

__all__ = ["check_interface_keys"]


def check_interface_keys(context: MergeContext) -> None:
    """Report entity interfaces that lack implementations, and interface objects that have some."""
    types = context.supergraph.types.values()
    for merged in types:
        if merged.kind is TypeKind.INTERFACE:
            implementations = [
                other.name
                for other in types
                if other.kind is TypeKind.OBJECT and merged.name in other.interfaces
            ]
            _check_known(context, merged, implementations)
            _check_interface_objects(context, merged, implementations)


def _check_interface_objects(
    context: MergeContext, interface: MergedType, implementations: list[str]
) -> None:
    """A subgraph that sees an interface as an object must not see its implementations as well."""
    for subgraph in context.subgraphs:
        definition = subgraph.types.get(interface.name)
        if definition is None or not definition.is_interface_object:
            continue
        known = [name for name in implementations if name in subgraph.types]
        if known:
            context.findings.error(
                ErrorCode.INTERFACE_OBJECT_USAGE_ERROR,
                f'Interface type "{interface.name}" is defined as an @interfaceObject in subgraph'
                f' "{subgraph.name}" so that subgraph should not define any of the implementation'
                f' types of "{interface.name}", but it defines {", ".join(known)}.',
                subgraphs=(subgraph.name,),
                coordinates=(interface.name, *known),
                line=definition.line,
            )


def _check_known(context: MergeContext, interface: MergedType, implementations: list[str]) -> None:
    for subgraph in context.subgraphs:
        definition = subgraph.types.get(interface.name)
        if definition is None or definition.kind is not TypeKind.INTERFACE:
            continue
        keys = definition.all(FederationDirective.KEY)
        if not any(use.boolean("resolvable", default=True) for use in keys):
            continue
        missing = [name for name in implementations if name not in subgraph.types]
        if missing:
            context.findings.error(
                ErrorCode.INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE,
                f'Interface type "{interface.name}" has a resolvable key in subgraph'
                f' "{subgraph.name}" but that subgraph is missing some of the supergraph'
                f' implementation types of "{interface.name}": it should define'
                f" {', '.join(missing)}.",
                subgraphs=(subgraph.name,),
                coordinates=(interface.name,),
                line=definition.line,
            )
