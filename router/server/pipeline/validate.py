"""Stage 4, validate: the document against the API schema, by the specification's rules.

One rule of them, that fields of one response name must agree, compares every two such fields, so
its work grows with the square of the document. graphql-core bounds it; here the bound is a setting.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from graphql import OverlappingFieldsCanBeMergedRule, specified_rules, validate
from graphql.validation.rules.custom.no_schema_introspection import NoSchemaIntrospectionCustomRule
from graphql.validation.validate import ValidationAbortedError

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphql import ASTValidationRule, DocumentNode, GraphQLSchema, ValidationContext

__all__ = ["validate_document"]


@cache
def _rules(*, introspection: bool, max_work: int) -> Sequence[type[ASTValidationRule]]:
    """Return the specification's rules, and one against introspection if that is off."""

    class BoundedOverlapRule(OverlappingFieldsCanBeMergedRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self.rule_context.remaining_complexity_budget = max_work

    rules: list[type[ASTValidationRule]] = [
        BoundedOverlapRule if rule is OverlappingFieldsCanBeMergedRule else rule
        for rule in specified_rules
    ]
    return rules if introspection else [*rules, NoSchemaIntrospectionCustomRule]


def validate_document(
    schema: GraphQLSchema,
    document: DocumentNode,
    *,
    max_errors: int,
    max_work: int,
    introspection: bool,
    suggestions: bool,
) -> None:
    """Raise ``GRAPHQL_VALIDATION_FAILED`` with every error found, up to ``max_errors``, or
    ``MAX_VALIDATION_WORK_LIMIT`` for a document that takes too long.

    ``max_work`` bounds the comparisons of fields, in graphql-core's units: two for each pair.
    """
    errors = validate(
        schema,
        document,
        _rules(introspection=introspection, max_work=max_work),
        max_errors=max_errors,
        hide_suggestions=not suggestions,
        allow_empty_selection_sets=False,
    )
    if any(isinstance(error, ValidationAbortedError) for error in errors[:max_errors]):
        # Where an abort for too many errors stands, max_errors others are in front of it.
        raise RequestError(
            RequestErrorCode.MAX_VALIDATION_WORK_LIMIT,
            "Too many fields of the document have the same response name",
            well_formed=True,
        )
    if errors:
        raise RequestError(
            RequestErrorCode.GRAPHQL_VALIDATION_FAILED,
            errors[0].message,
            well_formed=True,
            errors=[dict(error.formatted) for error in errors],
        )
