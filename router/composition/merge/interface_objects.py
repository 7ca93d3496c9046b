"""Fields of interface objects belong to every implementation too.

A subgraph that declares the interface ``Media`` as an object resolves its fields for all of them,
so each implementation gets the field, with an empty ``join__field``: "by way of the interface".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.facts import Coordinate
from router.composition.merge.override import Overrides
from router.composition.merge.sharing import check_sharing
from router.composition.model import TypeKind
from router.composition.supergraph_model import MergedField, MergedUse
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext
    from router.composition.supergraph_model import MergedType

__all__ = ["extend_implementations"]


def extend_implementations(context: MergeContext) -> None:
    """Give the implementations of interfaces the fields that interface objects add."""
    types = context.supergraph.types
    for interface in types.values():
        if interface.kind is not TypeKind.INTERFACE:
            continue
        added = _fields_of_objects(context, interface)
        for implementation in types.values():
            if (
                implementation.kind is TypeKind.OBJECT
                and interface.name in implementation.interfaces
            ):
                _extend(context, implementation, added)


def _fields_of_objects(context: MergeContext, interface: MergedType) -> list[MergedField]:
    """The interface's fields that some interface object declares, in order."""
    names = dict.fromkeys(
        name
        for _, definition in context.definitions_of(interface.name)
        if definition.is_interface_object
        for name in definition.fields
    )
    return [interface.fields[name] for name in names if name in interface.fields]


def _extend(context: MergeContext, implementation: MergedType, added: list[MergedField]) -> None:
    for field in added:
        if field.name in implementation.fields:
            continue
        coordinate = Coordinate(implementation.name, field.name)
        check_sharing(context, coordinate, [], Overrides(labels={}))
        implementation.fields[field.name] = MergedField(
            name=field.name,
            description=field.description,
            type=field.type,
            arguments=dict(field.arguments),
            uses=list(field.uses),
            joins=[MergedUse(JoinDirective.FIELD)],
        )
