"""Entity interfaces and interface objects: keys where the router needs them to jump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.model import TypeKind
from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from router.composition.facts import Facts, Key
    from router.composition.model import Subgraph, TypeDefinition
    from router.composition.result import Findings

__all__ = ["check_interface_entities"]


def check_interface_entities(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Interface objects need a key; implementations need every key of their entity interface."""
    for definition in subgraph.types.values():
        if definition.is_interface_object and definition.name not in facts.keys:
            findings.error(
                ErrorCode.INTERFACE_OBJECT_USAGE_ERROR,
                "The @interfaceObject directive can only be applied to entity types but type"
                f' "{definition.name}" has no @key in this subgraph.',
                subgraphs=(subgraph.name,),
                coordinates=(definition.name,),
                line=definition.line,
            )
        if definition.kind is TypeKind.INTERFACE:
            for key in facts.keys.get(definition.name, ()):
                _check_implementations(subgraph, facts, findings, definition, key)


def _check_implementations(
    subgraph: Subgraph, facts: Facts, findings: Findings, interface: TypeDefinition, key: Key
) -> None:
    wanted = key.fields.split()
    for implementation in subgraph.implementations(interface.name):
        if implementation.kind is not TypeKind.OBJECT:
            continue
        own = facts.keys.get(implementation.name, ())
        same = [other for other in own if sorted(other.fields.split()) == sorted(wanted)]
        if any(other.resolvable or not key.resolvable for other in same):
            continue
        problem = (
            "is missing a matching @key"
            if not same
            else 'has a matching @key with "resolvable: false"'
        )
        findings.error(
            ErrorCode.INTERFACE_KEY_NOT_ON_IMPLEMENTATION,
            f'Key @key(fields: "{key.fields}") on interface type "{interface.name}" is missing on'
            f' implementation type "{implementation.name}": it {problem}.',
            subgraphs=(subgraph.name,),
            coordinates=(implementation.name,),
            line=implementation.line,
        )
