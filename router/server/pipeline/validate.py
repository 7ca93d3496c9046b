"""Stage 3, validate: the document against the API schema, by the specification's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import specified_rules, validate
from graphql.validation.rules.custom.no_schema_introspection import NoSchemaIntrospectionCustomRule

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema

__all__ = ["validate_document"]

_RULES_WITHOUT_INTROSPECTION = (*specified_rules, NoSchemaIntrospectionCustomRule)


def validate_document(
    schema: GraphQLSchema,
    document: DocumentNode,
    *,
    max_errors: int,
    introspection: bool,
    suggestions: bool,
) -> None:
    """Raise ``GRAPHQL_VALIDATION_FAILED`` with every error found, up to ``max_errors``."""
    errors = validate(
        schema,
        document,
        specified_rules if introspection else _RULES_WITHOUT_INTROSPECTION,
        max_errors=max_errors,
        hide_suggestions=not suggestions,
        allow_empty_selection_sets=False,
    )
    if errors:
        raise RequestError(
            RequestErrorCode.GRAPHQL_VALIDATION_FAILED,
            errors[0].message,
            well_formed=True,
            errors=[dict(error.formatted) for error in errors],
        )
