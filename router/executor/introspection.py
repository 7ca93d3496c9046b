"""``__schema`` and ``__type``: answered from the API schema, without any subgraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    Visitor,
    execute_sync,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.executor.client_selection import ClientField
    from router.executor.context import ErrorDict, Json, JsonObject

__all__ = ["IntrospectionPart", "introspection_part"]


class _VariableNames(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


class IntrospectionPart:
    """The introspection fields of one operation.

    What does not depend on variables is computed once.
    """

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: set[str]) -> None:
        self._schema = schema
        self._document = document
        self._variables = variables
        self._known: JsonObject | None = None

    def execute(self, variables: Mapping[str, Json]) -> tuple[JsonObject, list[ErrorDict]]:
        """Return the introspection fields by response key, and errors if there are any."""
        if self._known is not None:
            return self._known, []
        used = {name: value for name, value in variables.items() if name in self._variables}
        result = execute_sync(self._schema, self._document, variable_values=used)
        data: JsonObject = result.data or {}
        errors: list[ErrorDict] = [dict(error.formatted) for error in result.errors or ()]
        if not self._variables and not errors:
            self._known = data
        return data, errors


def introspection_part(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    fields: Iterable[ClientField],
) -> IntrospectionPart | None:
    """Return the introspection part of an operation, None when it has none."""
    nodes: list[FieldNode] = [
        node for field in fields if field.name in ("__schema", "__type") for node in field.nodes
    ]
    if not nodes:
        return None
    fragments = [
        definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    ]
    used = _VariableNames()
    for node in (*nodes, *fragments):
        visit(node, used)
    definitions = tuple(
        definition
        for definition in operation.variable_definitions or ()
        if definition.variable.name.value in used.names
    )
    part = OperationDefinitionNode(
        operation=OperationType.QUERY,
        variable_definitions=definitions,
        selection_set=SelectionSetNode(selections=tuple(nodes)),
    )
    names = {definition.variable.name.value for definition in definitions}
    return IntrospectionPart(schema, DocumentNode(definitions=(part, *fragments)), names)
