"""Changes of the API schema: what clients may ask.

graphql-core finds most of them. Added here is what it does not look at: root types, defaults of
what is required, ``@deprecated``, ``@oneOf`` and ``@specifiedBy``. Corrected is what it says of
enums: a value that only ever goes one way, from or to clients, harms less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    is_required_argument,
    is_required_input_field,
)

from router.compat.general import general_changes
from router.compat.model import Change, ChangeCode, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLInputField, GraphQLNamedType, GraphQLSchema

    from router.compat.version import Version

__all__ = ["api_changes"]


def api_changes(before: Version, after: Version) -> Iterator[Change]:
    """Changes of what clients see."""
    old, new = before.supergraph.api_schema, after.supergraph.api_schema
    yield from general_changes(old, new)
    yield from _root_types(before, after)
    yield from _defaults(old, new)
    for name, type_ in old.type_map.items():
        other = new.type_map.get(name)
        if other is not None:
            yield from _type_traits(type_, other)
    yield from _deprecations(old, new)


def _root_types(before: Version, after: Version) -> Iterator[Change]:
    old, new = before.supergraph.root_types, after.supergraph.root_types
    for kind in dict.fromkeys((*old, *new)):
        if old.get(kind) == new.get(kind):
            continue
        if kind not in new:
            message = f"The root type {old[kind]} of {kind} operations was removed."
            yield Change(Severity.BREAKING, ChangeCode.ROOT_TYPE_REMOVED, message)
        elif kind not in old:
            message = f"The root type {new[kind]} of {kind} operations was added."
            yield Change(Severity.SAFE, ChangeCode.ROOT_TYPE_ADDED, message)
        else:
            message = f"The root type of {kind} operations changed from {old[kind]} to {new[kind]}."
            yield Change(Severity.BREAKING, ChangeCode.ROOT_TYPE_CHANGED, message)


def _defaults(before: GraphQLSchema, after: GraphQLSchema) -> Iterator[Change]:
    """Arguments and input fields that could be left out only because they had a default."""
    old, new = dict(_inputs(before)), dict(_inputs(after))
    for coordinate, item in old.items():
        other = new.get(coordinate)
        if other is None or str(item.type) != str(other.type):
            continue
        if _is_required(other) and not _is_required(item):
            message = f"{coordinate} is required and lost its default."
            yield Change(Severity.BREAKING, ChangeCode.DEFAULT_OF_REQUIRED_REMOVED, message)


def _is_required(item: GraphQLArgument | GraphQLInputField) -> bool:
    if isinstance(item, GraphQLArgument):
        return is_required_argument(item)
    return is_required_input_field(item)


def _inputs(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLArgument | GraphQLInputField]]:
    """Everything that takes a value, by its schema coordinate."""
    for directive in schema.directives:
        for name, argument in directive.args.items():
            yield f"@{directive.name}({name}:)", argument
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, output in type_.fields.items():
                for name, argument in output.args.items():
                    yield f"{type_.name}.{field_name}({name}:)", argument


def _type_traits(old: GraphQLNamedType, new: GraphQLNamedType) -> Iterator[Change]:
    if isinstance(old, GraphQLInputObjectType) and isinstance(new, GraphQLInputObjectType):
        if new.is_one_of and not old.is_one_of:
            # Values with several fields were valid, and so were optional variables in them.
            message = f"Input type {new.name} now takes exactly one of its fields."
            yield Change(Severity.BREAKING, ChangeCode.ONE_OF_ADDED, message)
        elif old.is_one_of and not new.is_one_of:
            message = f"Input type {new.name} no longer takes exactly one of its fields."
            yield Change(Severity.DANGEROUS, ChangeCode.ONE_OF_REMOVED, message)
    if (
        isinstance(old, GraphQLScalarType)
        and isinstance(new, GraphQLScalarType)
        and old.specified_by_url != new.specified_by_url
    ):
        message = (
            f"The specification of scalar {new.name} changed from {old.specified_by_url} to "
            f"{new.specified_by_url}."
        )
        yield Change(Severity.DANGEROUS, ChangeCode.SPECIFIED_BY_CHANGED, message)


def _deprecations(before: GraphQLSchema, after: GraphQLSchema) -> Iterator[Change]:
    old, new = dict(_deprecatable(before)), dict(_deprecatable(after))
    for coordinate, reason in old.items():
        other = new.get(coordinate)
        if coordinate not in new or reason == other:
            continue
        if reason is None:
            message = f'{coordinate} was deprecated: "{other}".'
            yield Change(Severity.SAFE, ChangeCode.DEPRECATION_ADDED, message)
        elif other is None:
            # Clients were told to leave and may not notice that they need not any more.
            message = f'{coordinate} is no longer deprecated (it was: "{reason}").'
            yield Change(Severity.DANGEROUS, ChangeCode.DEPRECATION_REMOVED, message)
        else:
            message = f'The deprecation of {coordinate} changed from "{reason}" to "{other}".'
            yield Change(Severity.SAFE, ChangeCode.DEPRECATION_CHANGED, message)


def _deprecatable(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Schema coordinate -> deprecation reason, None where it is not deprecated."""
    for type_ in schema.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                coordinate = f"{type_.name}.{name}"
                yield coordinate, field.deprecation_reason
                for argument_name, argument in field.args.items():
                    yield f"{coordinate}({argument_name}:)", argument.deprecation_reason
        elif isinstance(type_, GraphQLInputObjectType):
            for name, input_field in type_.fields.items():
                yield f"{type_.name}.{name}", input_field.deprecation_reason
        elif isinstance(type_, GraphQLEnumType):
            for name, value in type_.values.items():
                yield f"{type_.name}.{name}", value.deprecation_reason
