"""Rewriting a subgraph's types and fields; what the passes have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.composition.model import Field, Subgraph, TypeDefinition

__all__ = ["map_fields", "map_types"]

_TypeChange: TypeAlias = "Callable[[TypeDefinition], TypeDefinition | None]"
_FieldChange: TypeAlias = "Callable[[TypeDefinition, Field], Field | None]"


def map_types(subgraph: Subgraph, change: _TypeChange) -> Subgraph:
    """Replace every type by what ``change`` makes of it; None drops it."""
    changed = {name: change(definition) for name, definition in subgraph.types.items()}
    return replace(
        subgraph,
        types={name: definition for name, definition in changed.items() if definition is not None},
    )


def map_fields(subgraph: Subgraph, change: _FieldChange) -> Subgraph:
    """Replace every field of an object or interface by what ``change`` makes of it."""

    def each(definition: TypeDefinition) -> TypeDefinition:
        changed = {name: change(definition, field) for name, field in definition.fields.items()}
        return replace(
            definition,
            fields={name: field for name, field in changed.items() if field is not None},
        )

    return map_types(subgraph, each)
