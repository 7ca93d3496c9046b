"""Federation 1 let subgraphs share value types and repeat fields without saying so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from router.composition.facts import Coordinate, collect_facts
from router.composition.model import DirectiveUse, TypeKind
from router.composition.upgrade.rewrite import map_fields
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Field, Subgraph, TypeDefinition

__all__ = ["add_shareable"]

_SHAREABLE = DirectiveUse(FederationDirective.SHAREABLE, FederationDirective.SHAREABLE, {})


def add_shareable(subgraph: Subgraph, subgraphs: Sequence[Subgraph]) -> Subgraph:
    """Mark the fields that another subgraph resolves as well."""
    resolved_elsewhere = {
        Coordinate(definition.name, name)
        for other in subgraphs
        if other.name != subgraph.name
        for facts in (collect_facts(other),)
        for definition in other.types.values()
        for name in definition.fields
        if facts.resolves(definition.name, name)
    }

    def change(definition: TypeDefinition, field: Field) -> Field:
        if definition.kind is not TypeKind.OBJECT or definition.name == "Subscription":
            return field
        if Coordinate(definition.name, field.name) not in resolved_elsewhere:
            return field
        if field.has(FederationDirective.EXTERNAL) or field.has(FederationDirective.SHAREABLE):
            return field
        return replace(field, uses=(*field.uses, _SHAREABLE))

    return map_fields(subgraph, change)
