"""The two executable schemas of a supergraph: the full one, and the API schema that clients see.

Both come from the supergraph document by removing definitions; they share no state with the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    REMOVE,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    NamedTypeNode,
    TypeDefinitionNode,
    Visitor,
    build_ast_schema,
    visit,
)

from router.supergraph.errors import SupergraphError, SupergraphErrorCode

if TYPE_CHECKING:
    from graphql import Node

    from router.supergraph.joins import Directives

__all__ = ["build_schemas", "with_defer"]

_EXECUTABLE_LOCATIONS = {
    "QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT", "VARIABLE_DEFINITION",
}  # fmt: skip
_STANDARD_DIRECTIVES = {"deprecated", "specifiedBy", "oneOf"}


class _StripMachinery(Visitor):
    """Removes the definitions and applications that only federation tools read."""

    def __init__(self, directives: Directives) -> None:
        super().__init__()
        self._directives = directives
        self.saw_inaccessible = False

    def enter(self, node: Node, *_: Any) -> Any:
        if isinstance(node, DirectiveDefinitionNode):
            locations = {location.value for location in node.locations}
            machinery = self._directives.is_machinery(node.name.value)
            return REMOVE if machinery or not locations & _EXECUTABLE_LOCATIONS else None
        if isinstance(node, TypeDefinitionNode) and self._directives.is_machinery(node.name.value):
            return REMOVE
        if isinstance(node, DirectiveNode) and node.name.value not in _STANDARD_DIRECTIVES:
            if node.name.value == self._directives.inaccessible:
                self.saw_inaccessible = True
            return REMOVE
        return None


class _StripInaccessible(Visitor):
    """Removes what carries ``@inaccessible``, and the mentions of types that do."""

    def __init__(self, directives: Directives, hidden_types: frozenset[str]) -> None:
        super().__init__()
        self._directives = directives
        self._hidden = hidden_types

    def enter(self, node: Node, _key: Any, parent: Any, *_: Any) -> Any:
        if self._directives.is_inaccessible(node):
            return REMOVE
        # In a tuple of its parent, a named type is a union member or an implemented interface.
        if (
            isinstance(node, NamedTypeNode)
            and isinstance(parent, tuple | list)
            and node.name.value in self._hidden
        ):
            return REMOVE
        return None


def with_defer(schema: GraphQLSchema) -> GraphQLSchema:
    """A schema with ``@defer`` as one of its directives, unless it has a directive of that name."""
    if schema.get_directive(GraphQLDeferDirective.name) is not None:
        return schema
    arguments = schema.to_kwargs()
    arguments["directives"] = (*schema.directives, GraphQLDeferDirective)
    return GraphQLSchema(**arguments)


def build_schemas(
    document: DocumentNode, directives: Directives
) -> tuple[GraphQLSchema, GraphQLSchema]:
    """The full schema and the API schema of a supergraph document.

    Raises:
        SupergraphError: what is left is not a valid schema.
    """
    hidden = frozenset(
        definition.name.value
        for definition in document.definitions
        if isinstance(definition, TypeDefinitionNode) and directives.is_inaccessible(definition)
    )
    strip = _StripMachinery(directives)
    full = _build(visit(document, strip))
    if not strip.saw_inaccessible:
        return full, full
    visible = visit(document, _StripInaccessible(directives, hidden))
    return full, _build(visit(visible, _StripMachinery(directives)))


def _build(document: DocumentNode) -> GraphQLSchema:
    try:
        # Composition has checked it. graphql-core would also refuse what subgraphs may well do, as
        # to deprecate a field in an implementation but not in its interface.
        return build_ast_schema(document, assume_valid=True)
    except (GraphQLError, TypeError) as error:
        raise SupergraphError(
            SupergraphErrorCode.INVALID_GRAPHQL, f"The supergraph is not a valid schema: {error}"
        ) from error
