"""What a path provides: the fields that ``@provides`` makes local below one field of one subgraph.

Provided fields belong to a *path*, not to a type: the same subgraph entered by key does not give
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, InlineFragmentNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import SelectionSetNode

__all__ = ["Provided"]


class Provided:
    """The provided fields of an object. Compared by identity, so that views that carry one can be
    cache keys.
    """

    __slots__ = ("_children", "_sets")

    def __init__(self, sets: tuple[tuple[frozenset[str] | None, SelectionSetNode], ...]) -> None:
        self._sets = sets
        self._children: dict[tuple[str, str], tuple[bool, Provided | None]] = {}

    @classmethod
    def of(cls, selections: SelectionSetNode) -> Provided:
        """What one ``@provides`` argument gives."""
        return cls(((None, selections),))

    def lookup(
        self, type_name: str, field: str, possible_types: Callable[[str], frozenset[str]]
    ) -> tuple[bool, Provided | None]:
        """Whether ``field`` is provided on a ``type_name``, and what is provided below it."""
        key = (type_name, field)
        if key not in self._children:
            nested: list[SelectionSetNode] = []
            found = False
            for types, selections in self._sets:
                if types is None or type_name in types:
                    hit = _find(selections, type_name, field, possible_types, nested)
                    found = found or hit
            below = Provided(tuple((None, s) for s in nested)) if nested else None
            self._children[key] = (found, below)
        return self._children[key]

    def merge(self, other: Provided | None) -> Provided:
        """What both give."""
        return self if other is None else Provided(self._sets + other._sets)


def _find(
    selections: SelectionSetNode,
    type_name: str,
    field: str,
    possible_types: Callable[[str], frozenset[str]],
    nested: list[SelectionSetNode],
) -> bool:
    found = False
    for node in selections.selections:
        if isinstance(node, FieldNode) and node.name.value == field:
            found = True
            if node.selection_set:
                nested.append(node.selection_set)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else None
            if condition is None or type_name in possible_types(condition):
                hit = _find(node.selection_set, type_name, field, possible_types, nested)
                found = found or hit
    return found
