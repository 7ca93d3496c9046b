"""Directives that Federation 1 ignored where Federation 2 refuses them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from router.composition.model import TypeKind
from router.composition.type_refs import base_name
from router.composition.upgrade.rewrite import map_fields, map_types
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Field, Subgraph, TypeDefinition

__all__ = ["drop_misplaced"]

_ON_FIELDS: Final = (
    FederationDirective.EXTERNAL,
    FederationDirective.PROVIDES,
    FederationDirective.REQUIRES,
)


def drop_misplaced(subgraph: Subgraph, subgraphs: Sequence[Subgraph]) -> Subgraph:
    """Drop what stands on interfaces and their fields, provisions of scalars, repeated tags."""

    def of_type(definition: TypeDefinition) -> TypeDefinition:
        if definition.kind is not TypeKind.INTERFACE:
            return definition
        return replace(definition, uses=definition.without(FederationDirective.KEY))

    def of_field(definition: TypeDefinition, field: Field) -> Field:
        if definition.kind is TypeKind.INTERFACE:
            return replace(field, uses=field.without(*_ON_FIELDS))
        target = subgraph.types.get(base_name(field.type))
        if target is None or not target.is_composite:
            field = replace(field, uses=field.without(FederationDirective.PROVIDES))
        return _without_repeated_tags(definition, field, subgraphs)

    return map_fields(map_types(subgraph, of_type), of_field)


def _without_repeated_tags(
    definition: TypeDefinition, field: Field, subgraphs: Sequence[Subgraph]
) -> Field:
    """Drop tags of an external field that the real field has too."""
    if not field.has(FederationDirective.EXTERNAL):
        return field
    real = [
        other.types[definition.name].fields[field.name]
        for other in subgraphs
        if definition.name in other.types and field.name in other.types[definition.name].fields
    ]
    elsewhere = {
        use.string("name")
        for other in real
        if not other.has(FederationDirective.EXTERNAL)
        for use in other.all(FederationDirective.TAG)
    }
    kept = tuple(
        use
        for use in field.uses
        if use.kind is not FederationDirective.TAG or use.string("name") not in elsewhere
    )
    return replace(field, uses=kept)
