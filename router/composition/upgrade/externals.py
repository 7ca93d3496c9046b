"""External marks that Federation 1 asked for although the subgraph has the field.

An extension had to mark its key fields external, as "not defined here". It gives them all the
same: they are in every representation that it returns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from router.composition.facts import Coordinate, collect_facts
from router.composition.model import ROOT_TYPES, TypeKind
from router.composition.type_refs import base_name
from router.composition.upgrade.rewrite import map_fields, map_types
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Field, Subgraph, TypeDefinition
    from router.composition.result import Findings

__all__ = ["drop_formal_externals", "drop_unused_externals"]

_EXTERNAL = FederationDirective.EXTERNAL


def drop_formal_externals(subgraph: Subgraph, subgraphs: Sequence[Subgraph]) -> Subgraph:
    """Make the key fields of extensions plain fields.

    An extension may repeat no key of its own; then the fields that are keys elsewhere count.
    """
    own = collect_facts(subgraph)
    others = [collect_facts(other) for other in subgraphs if other.name != subgraph.name]

    def change(definition: TypeDefinition, field: Field) -> Field:
        if not definition.is_extension:
            return field
        name = definition.name
        keyed = [own] if name in own.keys else others
        if not any(field.name in facts.key_field_names(name) for facts in keyed):
            return field
        return replace(field, uses=field.without(_EXTERNAL))

    return map_fields(subgraph, change)


def drop_unused_externals(subgraph: Subgraph, findings: Findings) -> Subgraph:
    """Drop external fields that nothing uses, which Federation 1 only warned about."""
    facts = collect_facts(subgraph)
    referenced = _referenced(subgraph)

    def change(definition: TypeDefinition) -> TypeDefinition | None:
        if definition.kind is not TypeKind.OBJECT or not definition.fields:
            return definition
        kept = {
            name: field
            for name, field in definition.fields.items()
            if not field.has(_EXTERNAL) or Coordinate(definition.name, name) in facts.used
        }
        if kept or definition.name in ROOT_TYPES:
            return replace(definition, fields=kept)
        if definition.name not in referenced:
            return None
        findings.error(
            ErrorCode.TYPE_WITH_ONLY_UNUSED_EXTERNAL,
            f'Type "{definition.name}" contains only external fields and all those fields are all'
            " unused (they do not appear in any @key, @provides or @requires).",
            subgraphs=(subgraph.name,),
            coordinates=(definition.name,),
            line=definition.line,
        )
        return definition

    return map_types(subgraph, change)


def _referenced(subgraph: Subgraph) -> set[str]:
    """The types that a field or union of the subgraph can lead to."""
    definitions = subgraph.types.values()
    names = {base_name(item.type) for each in definitions for item in each.fields.values()}
    return names.union(*(each.members for each in definitions))
