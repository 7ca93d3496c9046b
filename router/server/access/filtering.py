"""Leaves out of an operation what a caller may not see, before it is planned.

A selection set that loses all its fields gets ``__typename``: the object itself may be seen, so the
client learns whether it is there. One that loses a fragment gets it too, since what the fragment's
fields come to depends on the object's type.

    { me { id secret } posts { ... on Draft { text } } }  ->  { me { id } posts { __typename } }
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    SelectionSetNode,
)

if TYPE_CHECKING:
    from graphql import OperationDefinitionNode, SelectionNode

__all__ = ["filter_operation"]

_TYPENAME: Final = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())


def filter_operation(
    document: DocumentNode, operation: OperationDefinitionNode, closed: frozenset[int]
) -> tuple[DocumentNode, OperationDefinitionNode]:
    """Return the document and its operation without the nodes whose ``id()`` is in ``closed``."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    filtering = _Filtering(closed, fragments)
    kept = replace(operation, selection_set=filtering.selections(operation.selection_set))
    definitions = [
        replace(fragment, selection_set=filtering.selections(fragment.selection_set))
        for fragment in fragments.values()
        if id(fragment) not in closed
    ]
    return DocumentNode(definitions=(kept, *definitions)), kept


class _Filtering:
    def __init__(
        self, closed: frozenset[int], fragments: dict[str, FragmentDefinitionNode]
    ) -> None:
        self._closed = closed
        self._fragments = fragments

    def selections(self, selection_set: SelectionSetNode) -> SelectionSetNode:
        kept = [self._selection(node) for node in selection_set.selections if self._is_open(node)]
        lost = [node for node in selection_set.selections if not self._is_open(node)]
        if not kept or any(not isinstance(node, FieldNode) for node in lost):
            kept.append(_TYPENAME)
        return replace(selection_set, selections=tuple(kept))

    def _selection(self, node: SelectionNode) -> SelectionNode:
        if isinstance(node, (FieldNode, InlineFragmentNode)) and node.selection_set is not None:
            return replace(node, selection_set=self.selections(node.selection_set))
        return node

    def _is_open(self, node: SelectionNode) -> bool:
        if isinstance(node, FragmentSpreadNode):
            return id(self._fragments[node.name.value]) not in self._closed
        return id(node) not in self._closed
