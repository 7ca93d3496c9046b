"""Field sets: the ``fields`` of ``@key``, ``@requires``, ``@provides``: ``"id owner { id }"``.

A field set is a GraphQL selection set without its outer braces. It is parsed here into
graphql-core's own ``SelectionSetNode``; whether its fields exist is the caller's question, because
that needs a schema.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import SelectionNode

__all__ = ["FieldSetError", "parse_field_set", "print_field_set", "walk_selections"]


_REMEMBERED: Final = 4096
"""Field sets kept parsed. They repeat: a key is read by several stages, and most keys are `id`."""


class FieldSetError(ValueError):
    """A field set that is not one; the message says what is wrong, without naming the directive."""


@lru_cache(maxsize=_REMEMBERED)
def parse_field_set(text: str) -> SelectionSetNode:
    """Parse a field set; outer braces are accepted, as Apollo's tools do.

    Raises:
        FieldSetError: empty, not GraphQL syntax, an alias, or a named fragment.
    """
    stripped = text.strip()
    if not stripped:
        msg = "it is empty"
        raise FieldSetError(msg)
    source = stripped if stripped.startswith("{") else f"{{ {stripped} }}"
    try:
        document = parse(source, no_location=True)
    except GraphQLSyntaxError as error:
        raise FieldSetError(error.message) from error
    if len(document.definitions) != 1:
        msg = "it has more than one selection set"
        raise FieldSetError(msg)
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode) or operation.operation.value != "query":
        msg = "it is not a selection set"
        raise FieldSetError(msg)
    if not operation.selection_set.selections:  # graphql-core lets `{}` pass
        msg = "it is empty"
        raise FieldSetError(msg)
    for selection in walk_selections(operation.selection_set):
        _require_plain(selection)
    return operation.selection_set


def print_field_set(selection_set: SelectionSetNode) -> str:
    """Print a field set on one line, without the outer braces: ``id owner { id }``."""
    return " ".join(_print_selection(selection) for selection in selection_set.selections)


def walk_selections(selection_set: SelectionSetNode) -> Iterator[SelectionNode]:
    """Every selection at every depth, parents before children."""
    for selection in selection_set.selections:
        yield selection
        if isinstance(selection, (FieldNode, InlineFragmentNode)) and selection.selection_set:
            yield from walk_selections(selection.selection_set)


def _require_plain(selection: SelectionNode) -> None:
    nested = getattr(selection, "selection_set", None)
    if nested is not None and not nested.selections:
        msg = "it has an empty selection"
        raise FieldSetError(msg)
    if isinstance(selection, FragmentSpreadNode):
        msg = f'it uses the named fragment "{selection.name.value}", which cannot be defined here'
        raise FieldSetError(msg)
    if isinstance(selection, FieldNode) and selection.alias:
        msg = (
            f'it uses the alias "{selection.alias.value}" in "{selection.alias.value}: '
            f'{selection.name.value}", which is not supported'
        )
        raise FieldSetError(msg)


def _print_selection(selection: SelectionNode) -> str:
    if isinstance(selection, FieldNode):
        arguments = ", ".join(print_ast(argument) for argument in selection.arguments or ())
        head = f"{selection.name.value}({arguments})" if arguments else selection.name.value
    elif isinstance(selection, InlineFragmentNode):
        condition = selection.type_condition
        head = f"... on {condition.name.value}" if condition else "..."
    else:
        # parse_field_set lets no other selection through; sets built elsewhere may have it.
        head = print_ast(selection)
    head += "".join(f" {print_ast(directive)}" for directive in selection.directives or ())
    nested = getattr(selection, "selection_set", None)
    return f"{head} {{ {print_field_set(nested)} }}" if nested else head
