"""Stage 6, variables: the client's values against the operation's definitions.

Subgraphs coerce again, so what is passed on is the client's own JSON, with defaults filled in
(conditions on fetches need them) and undeclared members left out. What is compiled once per
operation here is what graphql-core would look up for every request: the types of the variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import (
    GraphQLError,
    Undefined,
    coerce_input_value,
    get_variable_values,
    is_non_null_type,
    value_from_ast_untyped,
)
from graphql.execution.get_variable_signature import get_variable_signature

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from graphql import GraphQLInputType, GraphQLSchema, OperationDefinitionNode

    from router.server.limits.inputs import InputLimits

__all__ = ["VariableReader"]

_MAX_ERRORS = 20


class _Definition(NamedTuple):
    name: str
    type: GraphQLInputType
    required: bool
    default: Any  # the literal as JSON, Undefined when there is none


class VariableReader:
    """Checks one operation's variables and completes them with defaults."""

    __slots__ = ("_definitions", "_hide_suggestions", "_limits", "_nodes", "_schema")

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        *,
        limits: InputLimits,
        suggestions: bool,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._nodes = operation.variable_definitions or ()
        self._hide_suggestions = not suggestions
        self._definitions = tuple(_define(schema, operation))

    def read(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the values of the declared variables as JSON; raises ``BAD_USER_INPUT`` with an
        error for each wrong one, and what the limits raise.
        """
        values: dict[str, Any] = {}
        for name, type_, required, default in self._definitions:
            value = given.get(name, Undefined)
            if value is Undefined:
                if default is not Undefined:
                    values[name] = default
                elif required:
                    raise self._refusal(given)
                continue
            if value.__class__ is dict or value.__class__ is list:
                self._limits.check(name, value)
            if coerce_input_value(value, type_) is Undefined:
                raise self._refusal(given)
            values[name] = value
        return values

    def _refusal(self, given: dict[str, Any]) -> RequestError:
        """Return graphql-core's own verdict on the values: slower, but it names every place."""
        outcome = get_variable_values(
            self._schema,
            self._nodes,
            given,
            max_errors=_MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
        errors = outcome if isinstance(outcome, list) else [GraphQLError("Invalid variables")]
        return RequestError(
            RequestErrorCode.BAD_USER_INPUT,
            errors[0].message,
            well_formed=True,
            errors=[dict(error.formatted) for error in errors],
        )


def _define(schema: GraphQLSchema, operation: OperationDefinitionNode) -> list[_Definition]:
    definitions: list[_Definition] = []
    for node in operation.variable_definitions or ():
        signature = get_variable_signature(schema, node)
        if isinstance(signature, GraphQLError):
            # A scalar of the specification that the schema does not use: the rules overlook it.
            raise RequestError(
                RequestErrorCode.GRAPHQL_VALIDATION_FAILED,
                signature.message,
                well_formed=True,
                errors=[dict(signature.formatted)],
            )
        default = (
            Undefined if node.default_value is None else value_from_ast_untyped(node.default_value)
        )
        required = is_non_null_type(signature.type)
        definitions.append(_Definition(signature.name, signature.type, required, default))
    return definitions
