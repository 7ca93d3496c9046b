"""Completing a subgraph's document so that graphql-core can validate it.

Subgraph SDL is not a schema of its own: it extends types that it does not define, uses directives
that it only links, and may or may not contain federation's machinery (``_entities``, ``_Any``,
the directive definitions). This stage removes whatever machinery is there, adds the definitions
that the links stand for, and turns extensions without a definition into definitions.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    NamedTypeNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    OperationType,
    OperationTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    parse,
)

from router.composition.subgraph.machinery import is_machinery, without_machinery_fields
from router.federation.codes import ErrorCode
from router.federation.links import schema_directives

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DefinitionNode

    from router.composition.result import Findings
    from router.composition.subgraph.features import Features

__all__ = ["Completed", "complete"]

_DEFINITION_OF: Final[dict[type[TypeExtensionNode], type[TypeDefinitionNode]]] = {
    ScalarTypeExtensionNode: ScalarTypeDefinitionNode,
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
}
_ROOTS: Final = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


@dataclass(frozen=True, slots=True)
class Completed:
    """A document fit for validation.

    ``own`` are the subgraph's own definitions, machinery removed, extensions as written; ``roots``
    maps each root type's local name to its standard one.
    """

    document: DocumentNode
    own: tuple[DefinitionNode, ...]
    roots: Mapping[str, str]


def complete(
    document: DocumentNode, features: Features, subgraph: str, findings: Findings
) -> Completed:
    """Remove federation's machinery from a document and add what its links define."""
    own: list[DefinitionNode] = []
    for definition in document.definitions:
        if isinstance(definition, (SchemaDefinitionNode, SchemaExtensionNode)):
            continue
        if not is_machinery(definition, features, subgraph, findings):
            own.append(definition)
    roots = _roots(document, own)
    _check_root_names(own, roots, subgraph, findings)
    _check_roots_exist(document, own, subgraph, findings)
    query = next((local for local, name in roots.items() if name == "Query"), "Query")
    own = [without_machinery_fields(definition, query) for definition in own]
    defined = [*_with_bases(own), *features.definitions]
    return Completed(
        document=DocumentNode(
            definitions=(*defined, *_machinery(defined, query), _schema(document, roots, query))
        ),
        own=tuple(own),
        roots=roots,
    )


def _roots(document: DocumentNode, own: list[DefinitionNode]) -> dict[str, str]:
    """The root types' standard names by their local names."""
    explicit: dict[str, str] = {}
    for definition in document.definitions:
        if isinstance(definition, (SchemaDefinitionNode, SchemaExtensionNode)):
            for operation in definition.operation_types or ():
                explicit[operation.type.name.value] = _ROOTS[operation.operation.value]
    if explicit:
        return explicit
    names = {
        definition.name.value
        for definition in own
        if isinstance(definition, (ObjectTypeDefinitionNode, ObjectTypeExtensionNode))
    }
    return {name: name for name in _ROOTS.values() if name in names}


def _check_root_names(
    own: list[DefinitionNode], roots: Mapping[str, str], subgraph: str, findings: Findings
) -> None:
    """Renamed roots get their standard names, so no other type may have those."""
    renamed = {standard: local for local, standard in roots.items() if local != standard}
    for definition in own:
        if not isinstance(definition, (TypeDefinitionNode, TypeExtensionNode)):
            continue
        name = definition.name.value
        if name in renamed:
            findings.error(
                ErrorCode[f"ROOT_{name.upper()}_USED"],
                f'The schema has a type named "{name}" but it is not set as the {name.lower()} root'
                f' type ("{renamed[name]}" is instead): this is not supported by federation.',
                subgraphs=(subgraph,),
                coordinates=(name,),
                line=definition.loc.start_token.line if definition.loc else None,
            )


def _check_roots_exist(
    document: DocumentNode, own: list[DefinitionNode], subgraph: str, findings: Findings
) -> None:
    """What ``schema { query: Questions }`` names has to be there. (What is missing may be added
    further on, so GraphQL's own rules would not see it.)
    """
    types = (TypeDefinitionNode, TypeExtensionNode)
    names = {item.name.value for item in own if isinstance(item, types)}
    for definition in document.definitions:
        if not isinstance(definition, (SchemaDefinitionNode, SchemaExtensionNode)):
            continue
        for operation in definition.operation_types or ():
            name = operation.type.name.value
            if name not in names:
                findings.error(
                    ErrorCode.INVALID_GRAPHQL,
                    f'Unknown type "{name}".',
                    subgraphs=(subgraph,),
                    line=operation.loc.start_token.line if operation.loc else None,
                )


def _with_bases(own: list[DefinitionNode]) -> list[DefinitionNode]:
    """Turn the first extension of every type that has no definition into one."""
    bases = {item.name.value for item in own if isinstance(item, TypeDefinitionNode)}
    completed: list[DefinitionNode] = []
    for definition in own:
        if not isinstance(definition, TypeExtensionNode) or definition.name.value in bases:
            completed.append(definition)
            continue
        bases.add(definition.name.value)
        members = {
            item.name: getattr(definition, item.name) for item in dataclasses.fields(definition)
        }
        completed.append(_DEFINITION_OF[type(definition)](**members))
    return completed


def _machinery(defined: list[DefinitionNode], query: str) -> tuple[DefinitionNode, ...]:
    """The query field that every subgraph has, which makes any of them a complete schema."""
    types = {item.name.value for item in defined if isinstance(item, TypeDefinitionNode)}
    keyword = "extend type" if query in types else "type"
    text = f"{keyword} {query} {{ _service: _Service! }} type _Service {{ sdl: String }}"
    return parse(text, no_location=True).definitions


def _schema(document: DocumentNode, roots: Mapping[str, str], query: str) -> SchemaDefinitionNode:
    """One schema definition for the document's own and its extensions."""
    operations = {standard.lower(): local for local, standard in roots.items()} | {"query": query}
    return SchemaDefinitionNode(
        directives=tuple(schema_directives(document)),
        operation_types=tuple(
            OperationTypeDefinitionNode(
                operation=OperationType(kind),
                type=NamedTypeNode(name=NameNode(value=name)),
            )
            for kind, name in operations.items()
        ),
    )
