"""Selections that a caller may not see: their fields are answered null, and reported.

The server decides which they are and leaves them out of what is planned. The client's own operation
is projected all the same, so the response keeps its shape and nulls propagate as the schema says.
A path of a report is static, as in Apollo's router: response keys, ``@`` for the items of a list,
``... on Type`` for a fragment that is withheld as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from router.executor.conditions import is_selected
from router.executor.errors import ExecutionErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphql import (
        DocumentNode,
        GraphQLOutputType,
        GraphQLSchema,
        OperationDefinitionNode,
        SelectionNode,
        SelectionSetNode,
    )

    from router.executor.context import ErrorDict

__all__ = ["ReportTo", "Withheld", "WithheldPath", "withheld_errors", "withheld_paths"]

WithheldPath: TypeAlias = tuple[str, ...]

_MAX_PATHS: Final = 200
_MESSAGE: Final = "Unauthorized field or type"


class ReportTo(StrEnum):
    """Where a response says what was withheld."""

    ERRORS = "errors"
    EXTENSIONS = "extensions"
    NOWHERE = "disabled"


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """What is withheld of one document.

    ``nodes`` are the ``id()`` of its field, inline fragment and fragment definition nodes. Without
    ``hides`` it is only reported: the values are shown.
    """

    nodes: frozenset[int]
    report_to: ReportTo = ReportTo.ERRORS
    hides: bool = True


def withheld_errors(paths: Sequence[WithheldPath]) -> list[ErrorDict]:
    """One error for each path."""
    extensions = {"code": ExecutionErrorCode.UNAUTHORIZED_FIELD_OR_TYPE}
    return [{"message": _MESSAGE, "path": list(path), "extensions": extensions} for path in paths]


def withheld_paths(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    conditions: Mapping[str, bool],
    withheld: Withheld,
) -> tuple[WithheldPath, ...]:
    """Where an operation selects what is withheld, each place once, in the order of the document.

    ``conditions`` are the values of the variables that ``@skip`` and ``@include`` use. No more than
    200 places are listed: fragments in fragments can make any number of them.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        return ()
    walk = _Walk(schema, document, conditions, withheld)
    found: dict[WithheldPath, None] = {}
    for path in walk.paths(operation.selection_set, root.name, ()):
        found[path] = None
        if len(found) >= _MAX_PATHS:
            break
    return tuple(found)


class _Walk:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        conditions: Mapping[str, bool],
        withheld: Withheld,
    ) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._conditions = conditions
        self._withheld = withheld.nodes
        self._concerned: dict[int, bool] = {}

    def paths(
        self, selections: SelectionSetNode, parent: str, at: WithheldPath
    ) -> Iterator[WithheldPath]:
        for node in selections.selections:
            if is_selected(node, self._conditions) and self._is_concerned(node):
                yield from self._of(node, parent, at)

    def _of(self, node: SelectionNode, parent: str, at: WithheldPath) -> Iterator[WithheldPath]:
        if isinstance(node, FieldNode):
            key = node.alias.value if node.alias else node.name.value
            if id(node) in self._withheld:
                yield (*at, key)
            elif node.selection_set is not None:
                field_type = self._field_type(parent, node.name.value)
                below = (*at, key, *_items(field_type))
                yield from self.paths(node.selection_set, get_named_type(field_type).name, below)
            return
        body = self._body(node)
        condition = body.type_condition.name.value if body.type_condition else parent
        if id(body) in self._withheld:
            yield (*at, f"... on {condition}")
        else:
            yield from self.paths(body.selection_set, condition, at)

    def _is_concerned(self, node: SelectionNode) -> bool:
        """Whether anything in a selection is withheld; without this, the walk would visit every
        path of the document.
        """
        known = self._concerned.get(id(node))
        if known is None:
            body = node if isinstance(node, FieldNode) else self._body(node)
            below = body.selection_set.selections if body.selection_set is not None else ()
            known = id(body) in self._withheld or any(map(self._is_concerned, below))
            self._concerned[id(node)] = known
        return known

    def _body(self, node: SelectionNode) -> InlineFragmentNode | FragmentDefinitionNode:
        if isinstance(node, FragmentSpreadNode):
            return self._fragments[node.name.value]
        assert isinstance(node, InlineFragmentNode)
        return node

    def _field_type(self, parent: str, name: str) -> GraphQLOutputType:
        parent_type = self._schema.get_type(parent)
        assert isinstance(parent_type, (GraphQLObjectType, GraphQLInterfaceType))
        field_type: GraphQLOutputType = parent_type.fields[name].type
        return field_type


def _items(field_type: GraphQLOutputType) -> Iterator[str]:
    inner = get_nullable_type(field_type)
    while is_list_type(inner):
        yield "@"
        inner = get_nullable_type(inner.of_type)
