"""Interfaces after merging.

Each subgraph may be valid and their sum not: an interface that gains a field in one subgraph needs
it in implementations that only another one knows; and an entity interface must know all its
implementations, or the router could not tell which type an object of it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import TypeKind
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import MergedSupergraph, MergedType

__all__ = ["check_interfaces"]


def check_interfaces(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Report implementations that lack fields, and entity interfaces that lack implementations."""
    for merged in supergraph.types.values():
        for name in merged.interfaces:
            interface = supergraph.types.get(name)
            if interface is not None:
                _check_fields(subgraphs, findings, merged, interface)
        if merged.kind is TypeKind.INTERFACE:
            implementations = [
                other.name
                for other in supergraph.types.values()
                if other.kind is TypeKind.OBJECT and merged.name in other.interfaces
            ]
            _check_known(implementations, subgraphs, findings, merged)
            _check_interface_objects(implementations, subgraphs, findings, merged)


def _check_fields(
    subgraphs: Sequence[Subgraph], findings: Findings, merged: MergedType, interface: MergedType
) -> None:
    for field in interface.fields.values():
        if field.name in merged.fields:
            continue
        declaring = tuple(
            subgraph.name
            for subgraph in subgraphs
            if interface.name in subgraph.types
            and field.name in subgraph.types[interface.name].fields
        )
        findings.error(
            ErrorCode.INTERFACE_FIELD_NO_IMPLEM,
            f'Interface field "{interface.name}.{field.name}" is declared in'
            f' {", ".join(declaring)} but type "{merged.name}", which implements'
            f' "{interface.name}", does not have field "{field.name}".',
            subgraphs=declaring,
            coordinates=(f"{merged.name}.{field.name}",),
        )


def _check_interface_objects(
    implementations: list[str],
    subgraphs: Sequence[Subgraph],
    findings: Findings,
    interface: MergedType,
) -> None:
    """A subgraph that sees an interface as an object must not see its implementations as well."""
    for subgraph in subgraphs:
        definition = subgraph.types.get(interface.name)
        if definition is None or not definition.is_interface_object:
            continue
        known = [name for name in implementations if name in subgraph.types]
        if known:
            findings.error(
                ErrorCode.INTERFACE_OBJECT_USAGE_ERROR,
                f'Interface type "{interface.name}" is defined as an @interfaceObject in subgraph'
                f' "{subgraph.name}" so that subgraph should not define any of the implementation'
                f' types of "{interface.name}", but it defines {", ".join(known)}.',
                subgraphs=(subgraph.name,),
                coordinates=(interface.name, *known),
                line=definition.line,
            )


def _check_known(
    implementations: list[str],
    subgraphs: Sequence[Subgraph],
    findings: Findings,
    interface: MergedType,
) -> None:
    for subgraph in subgraphs:
        definition = subgraph.types.get(interface.name)
        if definition is None or definition.kind is not TypeKind.INTERFACE:
            continue
        keys = definition.all(FederationDirective.KEY)
        if not any(use.boolean("resolvable", default=True) for use in keys):
            continue
        missing = [name for name in implementations if name not in subgraph.types]
        if missing:
            findings.error(
                ErrorCode.INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE,
                f'Interface type "{interface.name}" has a resolvable key in subgraph'
                f' "{subgraph.name}" but that subgraph is missing some of the supergraph'
                f' implementation types of "{interface.name}": it should define'
                f" {', '.join(missing)}.",
                subgraphs=(subgraph.name,),
                coordinates=(interface.name,),
                line=definition.line,
            )
