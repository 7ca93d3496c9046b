"""Federation SDL in, executable schema out, for data-driven subgraphs.

Directives are read (keys) and then stripped, extensions of types that are defined nowhere become
definitions, and ``_entities`` and ``_service`` are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from graphql import (
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    OperationDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    Visitor,
    build_ast_schema,
    parse,
    visit,
)

__all__ = ["Executable", "KeyFields", "make_executable"]

KeyFields = dict[str, Any]  # field -> its key fields below, {} for a leaf

_KEPT_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
_DEFINITION_OF: dict[type[TypeExtensionNode], type[TypeDefinitionNode]] = {
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
}
_REPEATED = ("fields", "interfaces", "types", "values", "directives")


@dataclass(frozen=True, slots=True)
class Executable:
    """An executable schema and the keys of its entities (interfaces included)."""

    schema: GraphQLSchema
    keys: dict[str, list[KeyFields]]
    interfaces: dict[str, frozenset[str]]  # entity interface -> its implementations


def make_executable(sdl: str) -> Executable:
    """Make a subgraph's SDL executable."""
    document = parse(sdl)
    types = _merged_types(document)
    keys = {name: found for name, node in types.items() if (found := list(_keys(node)))}
    directives = {"skip", "include"} | _KEPT_DIRECTIVES
    definitions: list[DefinitionNode] = [
        visit(node, _Stripper(directives)) for node in types.values()
    ]
    definitions.extend(
        node for node in document.definitions if isinstance(node, SchemaDefinitionNode)
    )
    entities = [name for name in keys if isinstance(types[name], ObjectTypeDefinitionNode)]
    definitions.extend(parse(_machinery(entities)).definitions)
    query = "Query"
    merged = _merged_types(DocumentNode(definitions=tuple(definitions)))
    assert query in merged
    schema = build_ast_schema(
        DocumentNode(definitions=(*merged.values(), *_schema_nodes(document))),
        assume_valid_sdl=True,
    )
    interfaces = {
        name: frozenset(kind.name for kind in schema.get_possible_types(schema.type_map[name]))  # type: ignore[arg-type]
        for name in keys
        if name not in entities
    }
    return Executable(schema, keys, interfaces)


def _schema_nodes(document: DocumentNode) -> Iterator[SchemaDefinitionNode]:
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            yield SchemaDefinitionNode(operation_types=node.operation_types)


def _machinery(entities: list[str]) -> str:
    entity = f"union _Entity = {' | '.join(entities)}" if entities else ""
    fields = "_entities(representations: [_Any!]!): [_Entity]!" if entities else ""
    return f"""
        scalar _Any
        type _Service {{ sdl: String! }}
        {entity}
        extend type Query {{ _service: _Service! {fields} }}
    """


def _merged_types(document: DocumentNode) -> dict[str, TypeDefinitionNode]:
    """Return the types, each with all its extensions."""
    nodes = [
        node
        for node in document.definitions
        if isinstance(node, (TypeDefinitionNode, TypeExtensionNode))
        and not isinstance(node, SchemaExtensionNode)
    ]
    nodes.sort(key=lambda node: node.name.value)
    merged: dict[str, TypeDefinitionNode] = {}
    for name, group in groupby(nodes, key=lambda node: node.name.value):
        merged[name] = _merge(list(group))
    return merged


def _merge(nodes: list[Any]) -> TypeDefinitionNode:
    kind = _DEFINITION_OF.get(type(nodes[0]), type(nodes[0]))
    parts = {
        part: tuple(item for node in nodes for item in getattr(node, part, None) or ())
        for part in _REPEATED
        if part in kind.keys
    }
    merged: TypeDefinitionNode = kind(name=nodes[0].name, **parts)
    return merged


def _keys(node: Any) -> Iterator[KeyFields]:
    for directive in node.directives or ():
        if directive.name.value in ("key", "federation__key"):
            arguments = {argument.name.value: argument.value for argument in directive.arguments}
            fields = arguments["fields"]
            assert isinstance(fields, StringValueNode)
            (operation,) = parse(f"{{{fields.value}}}").definitions
            assert isinstance(operation, OperationDefinitionNode)
            yield _key_fields(operation.selection_set)


def _key_fields(selection_set: SelectionSetNode | None) -> KeyFields:
    fields = selection_set.selections if selection_set is not None else ()
    return {
        field.name.value: _key_fields(field.selection_set)
        for field in fields
        if isinstance(field, FieldNode)
    }


class _Stripper(Visitor):
    """Takes out directives that need no definition to run."""

    def __init__(self, kept: set[str]) -> None:
        super().__init__()
        self._kept = kept

    def enter_directive(self, node: DirectiveNode, *_: object) -> Any:
        return None if node.name.value in self._kept else Visitor.REMOVE
