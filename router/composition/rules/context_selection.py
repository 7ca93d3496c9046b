"""The selection of a ``@fromContext``: from every type that sets the context, one value that fits.

``$user { name }`` is read on every type with ``@context(name: "user")``; with
``$user ... on Admin { title } ... on Guest { nick }`` each such type takes its own fragment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode, InlineFragmentNode

from router.composition.model import TypeKind
from router.composition.subtypes import Subtypes
from router.composition.type_refs import ListRef, base_name, nullable
from router.federation.directives import FederationDirective
from router.federation.field_sets import FieldSetError, parse_field_set, walk_selections

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphql import SelectionSetNode

    from router.composition.model import Subgraph, TypeDefinition
    from router.composition.type_refs import TypeRef

__all__ = ["selection_problems"]


class _SelectionError(Exception):
    """What is wrong with a selection."""


def selection_problems(
    subgraph: Subgraph, text: str, places: Sequence[TypeDefinition], expected: TypeRef
) -> Iterator[str]:
    """What is wrong with a context's selection, for each place that sets the context."""
    try:
        selection = parse_field_set(text)
        if any(node.directives for node in walk_selections(selection)):
            msg = "directives are not allowed in the selection"
            raise _SelectionError(msg)
    except (FieldSetError, _SelectionError) as error:
        yield str(error)
        return
    yield from _unused_conditions(subgraph, selection, places)
    subtypes = Subtypes.of([subgraph])
    for place in places:
        if place.has(FederationDirective.INTERFACE_OBJECT):
            yield f'one of the types that set the context is an interface object: "{place.name}"'
            continue
        try:
            selected = _selected_type(subgraph, selection, place)
        except _SelectionError as error:
            yield str(error)
            continue
        # The router may find no value, so what it passes on is always nullable.
        given = nullable(selected)
        if given != expected and not subtypes.is_strict(given, expected):
            yield (
                f'the type of the selection "{given}" does not match the expected type "{expected}"'
            )


def _unused_conditions(
    subgraph: Subgraph, selection: SelectionSetNode, places: Sequence[TypeDefinition]
) -> Iterator[str]:
    """Fragments for types that do not set the context: a typing error, or a place forgotten."""
    for item in selection.selections:
        if not isinstance(item, InlineFragmentNode) or item.type_condition is None:
            continue
        name = item.type_condition.name.value
        condition = subgraph.types.get(name)
        if condition is not None and condition.kind is not TypeKind.OBJECT:
            yield "type conditions must be an object type"
        elif not any(_applies(subgraph, item, place) for place in places):
            yield f'type condition "{name}" is never used'


def _selected_type(
    subgraph: Subgraph, selection: SelectionSetNode, place: TypeDefinition
) -> TypeRef:
    """The type of the one value that a selection leads to from ``place``.

    Raises:
        _SelectionError: it leads to none, to several, or nowhere.
    """
    fragments = [item for item in selection.selections if isinstance(item, InlineFragmentNode)]
    if fragments and len(fragments) == len(selection.selections):
        fitting = [item for item in fragments if _applies(subgraph, item, place)]
        if not fitting:
            msg = f'no type condition matches the location "{place.name}"'
            raise _SelectionError(msg)
        condition = fitting[0].type_condition
        target = subgraph.types[condition.name.value] if condition else place
        return _selected_type(subgraph, fitting[0].selection_set, target)
    if len(selection.selections) > 1:
        msg = "multiple selections are made"
        raise _SelectionError(msg)
    node = selection.selections[0]
    field = place.fields.get(node.name.value) if isinstance(node, FieldNode) else None
    if field is None or not isinstance(node, FieldNode):
        name = node.name.value if isinstance(node, FieldNode) else "..."
        msg = f'Cannot query field "{name}" on type "{place.name}"'
        raise _SelectionError(msg)
    return _below(subgraph, node, field.type, f"{place.name}.{field.name}")


def _below(subgraph: Subgraph, node: FieldNode, found: TypeRef, coordinate: str) -> TypeRef:
    target = subgraph.types.get(base_name(found))
    if target is None or not target.is_composite:
        if node.selection_set is not None:
            msg = f'"{coordinate}" has no fields, so nothing can be selected on it'
            raise _SelectionError(msg)
        return found
    if node.selection_set is None:
        msg = f'"{coordinate}" of type "{found}" needs a selection'
        raise _SelectionError(msg)
    if any(isinstance(item, InlineFragmentNode) for item in node.selection_set.selections):
        msg = f'a fragment narrows "{coordinate}": only the type that sets the context may be'
        raise _SelectionError(msg)
    inner = _selected_type(subgraph, node.selection_set, target)
    # A value in every item of a list makes a list of values, where some may be missing.
    return ListRef(nullable(inner)) if isinstance(nullable(found), ListRef) else inner


def _applies(subgraph: Subgraph, fragment: InlineFragmentNode, place: TypeDefinition) -> bool:
    if fragment.type_condition is None:
        return True
    name = fragment.type_condition.name.value
    condition = subgraph.types.get(name)
    if condition is None:
        return False
    if name == place.name or name in place.interfaces or name in place.members:
        return True
    return place.kind is TypeKind.INTERFACE and place.name in condition.interfaces
