"""The changes of a schema that graphql-core finds, with its verdict on enums corrected.

graphql-core calls every removed enum value breaking and every added one dangerous. But a value that
clients only receive cannot make an operation invalid when it goes, and one that they only send
cannot surprise them when it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    BreakingChange,
    DangerousChange,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
)
from graphql.utilities import BreakingChangeType, DangerousChangeType, find_schema_changes

from router.compat.model import Change, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLSchema
    from graphql.utilities import SchemaChange

__all__ = ["general_changes"]

_ENUM_CHANGES = {
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
    DangerousChangeType.VALUE_ADDED_TO_ENUM,
}


def general_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    """What graphql-core finds between two schemas."""
    for found in find_schema_changes(old, new):
        if found.type not in _ENUM_CHANGES:
            yield Change(_severity(found), found.type.name, found.description)
    yield from _enum_changes(old, new)


def _severity(found: SchemaChange) -> Severity:
    if isinstance(found, BreakingChange):
        return Severity.BREAKING
    return Severity.DANGEROUS if isinstance(found, DangerousChange) else Severity.SAFE


def _enum_changes(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Change]:
    # A use that only one version has counts: operations of both are about.
    sent = _sent(old) | _sent(new)
    received = _received(old) | _received(new)
    for name, enum in old.type_map.items():
        other = new.type_map.get(name)
        if not isinstance(enum, GraphQLEnumType) or not isinstance(other, GraphQLEnumType):
            continue
        for value in enum.values.keys() - other.values.keys():
            severity = Severity.BREAKING if name in sent else Severity.DANGEROUS
            message = f"Enum value {name}.{value} was removed."
            yield Change(severity, BreakingChangeType.VALUE_REMOVED_FROM_ENUM.name, message)
        for value in other.values.keys() - enum.values.keys():
            severity = Severity.DANGEROUS if name in received else Severity.SAFE
            message = f"Enum value {name}.{value} was added."
            yield Change(severity, DangerousChangeType.VALUE_ADDED_TO_ENUM.name, message)


def _sent(schema: GraphQLSchema) -> set[str]:
    """The types of what clients send."""
    names = {
        get_named_type(argument.type).name
        for directive in schema.directives
        for argument in directive.args.values()
    }
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            names.update(get_named_type(field.type).name for field in type_.fields.values())
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                names.update(get_named_type(item.type).name for item in field.args.values())
    return names


def _received(schema: GraphQLSchema) -> set[str]:
    """The types of what clients receive."""
    return {
        get_named_type(field.type).name
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        for field in type_.fields.values()
    }
