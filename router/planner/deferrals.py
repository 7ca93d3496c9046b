"""The ``@defer`` directives of an operation: which there are, and how planner and executor call
them.

The planner keeps a deferral like a condition: what stands below is wanted "in block 3". So a fetch
knows the blocks it is made for as it knows its conditions, and nothing else in planning has to
care (``fetch_graph.demand``). The executor finds the same blocks in the client's selection by
numbering them the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    StringValueNode,
    VariableNode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphql import (
        DirectiveNode,
        DocumentNode,
        OperationDefinitionNode,
        SelectionNode,
        SelectionSetNode,
    )

__all__ = ["Block", "Deferral", "find_deferrals"]

Block: TypeAlias = frozenset[str]
"""The ids of the deferrals that something stands below; empty: it is in the first answer."""


@dataclass(frozen=True, slots=True)
class Deferral:
    """One ``@defer``. ``path`` is where it first stands, in the client's terms.

    ``variable``: only deferred if this variable is not false.
    """

    id: str
    path: tuple[str, ...]
    label: str | None = None
    variable: str | None = None


def find_deferrals(
    document: DocumentNode, operation: OperationDefinitionNode
) -> Mapping[int, Deferral]:
    """The deferrals of an operation by the ``id()`` of the fragment that is deferred, numbered in
    the order in which they are met. One with ``if: false`` is none.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    found: dict[int, Deferral] = {}
    seen: set[str] = set()
    for node, path in _selections(operation.selection_set, (), fragments, seen):
        for directive in node.directives or ():
            if directive.name.value == "defer" and not isinstance(node, FieldNode):
                deferral = _deferral(directive, str(len(found)), path)
                if deferral is not None:
                    found[id(node)] = deferral
    return found


def _selections(
    selections: SelectionSetNode,
    path: tuple[str, ...],
    fragments: Mapping[str, FragmentDefinitionNode],
    seen: set[str],
) -> Iterator[tuple[SelectionNode, tuple[str, ...]]]:
    """Every selection of the operation with its path; a fragment's where it is first spread."""
    for node in selections.selections:
        yield node, path
        if isinstance(node, FieldNode) and node.selection_set is not None:
            key = node.alias.value if node.alias else node.name.value
            yield from _selections(node.selection_set, (*path, key), fragments, seen)
        elif isinstance(node, InlineFragmentNode):
            yield from _selections(node.selection_set, path, fragments, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            inner = fragments[node.name.value].selection_set
            yield from _selections(inner, path, fragments, seen)


def _deferral(directive: DirectiveNode, id_: str, path: tuple[str, ...]) -> Deferral | None:
    label = variable = None
    for argument in directive.arguments or ():
        match argument.name.value, argument.value:
            case "if", BooleanValueNode(value=False):
                return None
            case "if", VariableNode(name=name):
                variable = name.value
            case "label", StringValueNode(value=text):
                label = text
    return Deferral(id_, path, label, variable)
