"""GraphQL's own rules, checked on a completed subgraph document by graphql-core.

What graphql-core checks only in operations is added here: that constant arguments of directives
and default values are values of their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    DirectiveNode,
    GraphQLError,
    GraphQLInputType,
    InputValueDefinitionNode,
    Visitor,
    build_ast_schema,
    is_input_type,
    print_ast,
    type_from_ast,
    validate_input_literal,
    visit,
)
from graphql.validation.validate import validate_sdl

from router.composition.graphql_rules import schema_faults

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema, Node, ValueNode

__all__ = ["validate_document"]


def validate_document(document: DocumentNode) -> list[GraphQLError]:
    """Every breach of the GraphQL specification; empty for a valid document."""
    errors = validate_sdl(document)
    if errors:
        return errors
    try:
        schema = build_ast_schema(document, assume_valid_sdl=True)
        errors = schema_faults(schema)
    except (GraphQLError, TypeError, ValueError) as error:
        # A few faults (invalid names, a reason for a deprecation that is no string) are raised by
        # graphql-core's constructors, some of which only run when the schema is looked at.
        return [error if isinstance(error, GraphQLError) else GraphQLError(str(error))]
    if errors:
        return errors
    values = _Values(schema)
    visit(document, values)
    return values.errors


class _Values(Visitor):
    """Collects constants that are not values of the type they are given for."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.schema = schema
        self.errors: list[GraphQLError] = []

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        definition = self.schema.get_directive(node.name.value)
        if definition is None:  # validate_sdl has already refused it
            return
        for argument in node.arguments or ():
            expected = definition.args.get(argument.name.value)
            if expected is not None:
                what = f'argument "{argument.name.value}" of directive "@{node.name.value}"'
                self._check(argument.value, expected.type, what, node)

    def enter_input_value_definition(self, node: InputValueDefinitionNode, *_: object) -> None:
        expected = type_from_ast(self.schema, node.type)
        if node.default_value is not None and expected is not None and is_input_type(expected):
            self._check(node.default_value, expected, f'the default of "{node.name.value}"', node)

    def _check(self, value: ValueNode, expected: GraphQLInputType, what: str, node: Node) -> None:
        def report(error: GraphQLError, _path: list[str | int]) -> None:
            message = f"Invalid value {print_ast(value)} for {what}: {error.message}"
            self.errors.append(GraphQLError(message, node))

        validate_input_literal(value, expected, report)
