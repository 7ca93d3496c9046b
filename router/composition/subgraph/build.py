"""From a valid document to the model: one ``TypeDefinition`` per type, extensions folded in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from graphql import (
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
)

from router.composition.model import (
    Argument,
    DirectiveDefinition,
    DirectiveUse,
    Element,
    EnumValue,
    Field,
    Subgraph,
    TypeDefinition,
    TypeKind,
)
from router.composition.type_refs import rename, type_ref
from router.federation.directives import FederationDirective
from router.federation.links import schema_directives

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphql import (
        ConstDirectiveNode,
        DocumentNode,
        InputValueDefinitionNode,
        Node,
        StringValueNode,
    )

    from router.composition.result import SubgraphInput
    from router.composition.subgraph.complete import Completed
    from router.composition.subgraph.features import Features

__all__ = ["build_subgraph"]

_T = TypeVar("_T")
_COMPOSITE: Final = (
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
)
_INPUT: Final = (InputObjectTypeDefinitionNode, InputObjectTypeExtensionNode)
_UNION: Final = (UnionTypeDefinitionNode, UnionTypeExtensionNode)
_ENUM: Final = (EnumTypeDefinitionNode, EnumTypeExtensionNode)
_KINDS: Final = {
    "scalar_type": TypeKind.SCALAR,
    "object_type": TypeKind.OBJECT,
    "interface_type": TypeKind.INTERFACE,
    "union_type": TypeKind.UNION,
    "enum_type": TypeKind.ENUM,
    "input_object_type": TypeKind.INPUT,
}
_SPREAD: Final = (FederationDirective.EXTERNAL, FederationDirective.SHAREABLE)


def build_subgraph(
    subgraph: SubgraphInput, document: DocumentNode, completed: Completed, features: Features
) -> Subgraph:
    """Build the model of one subgraph; root types get their standard names."""
    builder = _Builder(features, dict(completed.roots))
    types: dict[str, TypeDefinition] = {}
    directives: dict[str, DirectiveDefinition] = {}
    for node in completed.own:
        if isinstance(node, DirectiveDefinitionNode):
            directives[node.name.value] = builder.directive(node)
        elif isinstance(node, (TypeDefinitionNode, TypeExtensionNode)):
            part = builder.type(node)
            known = types.get(part.name)
            types[part.name] = part if known is None else _fold(known, part)
    # Federation gives every subgraph query fields of its own, so every one has a query root.
    types.setdefault("Query", TypeDefinition(name="Query", kind=TypeKind.OBJECT))
    return Subgraph(
        name=subgraph.name,
        url=subgraph.url,
        types={name: _finish(definition) for name, definition in types.items()},
        directives=directives,
        links=features.links,
        federation=features.federation,
        version=features.version,
        schema=Element(
            name="schema",
            description=_schema_description(document),
            uses=builder.uses(schema_directives(document)),
        ),
    )


class _Builder:
    def __init__(self, features: Features, roots: dict[str, str]) -> None:
        self.features = features
        self.roots = roots

    def type(self, node: TypeDefinitionNode | TypeExtensionNode) -> TypeDefinition:
        """One definition or extension, still on its own."""
        local = node.name.value
        uses = self.uses(node.directives)
        kind = node.kind.removesuffix("_definition").removesuffix("_extension")
        fields = self.fields(node) if isinstance(node, _COMPOSITE) else {}
        spread = tuple(use for use in uses if use.kind in _SPREAD)
        if self.features.federation is None:
            spread = ()  # Federation 1 knew @external on fields only
        return TypeDefinition(
            name=self.roots.get(local, local),
            description=_description(getattr(node, "description", None)),
            uses=tuple(use for use in uses if use.kind not in _SPREAD),
            line=_line(node),
            kind=_KINDS[kind],
            is_extension=isinstance(node, TypeExtensionNode),
            interfaces=tuple(item.name.value for item in node.interfaces or ())
            if isinstance(node, _COMPOSITE)
            else (),
            fields={name: _spread(item, spread) for name, item in fields.items()},
            inputs=self.arguments(node.fields) if isinstance(node, _INPUT) else {},
            members=tuple(item.name.value for item in node.types or ())
            if isinstance(node, _UNION)
            else (),
            values={
                item.name.value: EnumValue(
                    name=item.name.value,
                    description=_description(item.description),
                    uses=self.uses(item.directives),
                    line=_line(item),
                )
                for item in (node.values or () if isinstance(node, _ENUM) else ())
            },
        )

    def fields(
        self,
        node: ObjectTypeDefinitionNode
        | ObjectTypeExtensionNode
        | InterfaceTypeDefinitionNode
        | InterfaceTypeExtensionNode,
    ) -> dict[str, Field]:
        """The fields of one definition or extension."""
        return {
            item.name.value: Field(
                name=item.name.value,
                description=_description(item.description),
                uses=self.uses(item.directives),
                line=_line(item),
                type=rename(type_ref(item.type), self.roots),
                arguments=self.arguments(item.arguments),
            )
            for item in node.fields or ()
        }

    def arguments(self, nodes: Iterable[InputValueDefinitionNode] | None) -> dict[str, Argument]:
        """Arguments, or the fields of an input type."""
        return {
            item.name.value: Argument(
                name=item.name.value,
                description=_description(item.description),
                uses=self.uses(item.directives),
                line=_line(item),
                type=type_ref(item.type),
                default=item.default_value,
            )
            for item in nodes or ()
        }

    def directive(self, node: DirectiveDefinitionNode) -> DirectiveDefinition:
        """A directive that the subgraph defines itself."""
        return DirectiveDefinition(
            name=node.name.value,
            description=_description(node.description),
            line=_line(node),
            arguments=self.arguments(node.arguments),
            locations=tuple(location.value for location in node.locations),
            repeatable=node.repeatable,
        )

    def uses(self, nodes: Iterable[ConstDirectiveNode] | None) -> tuple[DirectiveUse, ...]:
        """Directive applications, with their meaning looked up."""
        return tuple(
            DirectiveUse(
                kind=self.features.directives.get(node.name.value),
                name=node.name.value,
                arguments={item.name.value: item.value for item in node.arguments or ()},
                line=_line(node),
            )
            for node in nodes or ()
        )


def _spread(item: Field, spread: tuple[DirectiveUse, ...]) -> Field:
    """Apply a type's ``@external`` and ``@shareable`` to a field of the *same* definition.

    Fields of the type's other definitions and extensions are not meant, so this cannot wait until
    they are folded together.
    """
    added = tuple(use for use in spread if use.kind is not None and not item.has(use.kind))
    return replace(item, uses=(*item.uses, *added)) if added else item


def _fold(known: TypeDefinition, part: TypeDefinition) -> TypeDefinition:
    base = known if part.is_extension or not known.is_extension else part
    return replace(
        known,
        description=known.description or part.description,
        uses=(*known.uses, *part.uses),
        line=base.line,
        is_extension=known.is_extension and part.is_extension,
        interfaces=tuple(dict.fromkeys((*known.interfaces, *part.interfaces))),
        fields=_joined(known.fields, part.fields),
        inputs=_joined(known.inputs, part.inputs),
        members=tuple(dict.fromkeys((*known.members, *part.members))),
        values=_joined(known.values, part.values),
    )


def _joined(known: Mapping[str, _T], part: Mapping[str, _T]) -> dict[str, _T]:
    return {**known, **part}


def _finish(definition: TypeDefinition) -> TypeDefinition:
    """A type marked ``@extends`` is an extension although it is written as a definition."""
    if not definition.has(FederationDirective.EXTENDS):
        return definition
    return replace(definition, is_extension=True)


def _description(node: StringValueNode | None) -> str | None:
    return node.value if node else None


def _schema_description(document: DocumentNode) -> str | None:
    definitions = (item for item in document.definitions if isinstance(item, SchemaDefinitionNode))
    return next((_description(item.description) for item in definitions), None)


def _line(node: Node) -> int | None:
    return node.loc.start_token.line if node.loc else None
