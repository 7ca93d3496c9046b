"""GraphQL's own rules, checked on a completed subgraph document by graphql-core.

What graphql-core checks only in operations is added here: that constant arguments of directives
and default values are values of their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphql import (
    DirectiveNode,
    GraphQLError,
    GraphQLInputType,
    InputValueDefinitionNode,
    build_ast_schema,
    is_input_type,
    print_ast,
    type_from_ast,
    validate_input_literal,
)
from graphql.validation.validate import validate_sdl

from router.composition.graphql_rules import schema_faults

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema, Node, ValueNode

__all__ = ["validate_document"]

_MEMBERS: Final = ("fields", "arguments", "values")
"""Where the definitions inside a definition stand. (A visitor would look everywhere, slowly.)"""


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
    for definition in document.definitions:
        values.check(definition)
    return values.errors


class _Values:
    """Collects constants that are not values of the type they are given for."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.errors: list[GraphQLError] = []

    def check(self, node: Node) -> None:
        """Check a definition and everything in it that may have directives or a default."""
        for directive in getattr(node, "directives", None) or ():
            self._check_directive(directive)
        if isinstance(node, InputValueDefinitionNode):
            self._check_default(node)
        for members in _MEMBERS:
            for member in getattr(node, members, None) or ():
                self.check(member)

    def _check_directive(self, node: DirectiveNode) -> None:
        definition = self.schema.get_directive(node.name.value)
        if definition is None:  # validate_sdl has already refused it
            return
        for argument in node.arguments or ():
            expected = definition.args.get(argument.name.value)
            if expected is not None:
                what = f'argument "{argument.name.value}" of directive "@{node.name.value}"'
                self._check(argument.value, expected.type, what, node)

    def _check_default(self, node: InputValueDefinitionNode) -> None:
        if node.default_value is None:
            return
        expected = type_from_ast(self.schema, node.type)
        if expected is not None and is_input_type(expected):
            self._check(node.default_value, expected, f'the default of "{node.name.value}"', node)

    def _check(self, value: ValueNode, expected: GraphQLInputType, what: str, node: Node) -> None:
        def report(error: GraphQLError, _path: list[str | int]) -> None:
            message = f"Invalid value {print_ast(value)} for {what}: {error.message}"
            self.errors.append(GraphQLError(message, node))

        validate_input_literal(value, expected, report)
