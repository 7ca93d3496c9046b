"""``@context`` and ``@fromContext``: names, and the value that an argument is filled with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.composition.model import Argument, Field, Subgraph, TypeDefinition

__all__ = ["ContextualArgument", "context_name", "contextual_arguments", "split_context_value"]

_VALUE: Final = re.compile(r"\s*\$([A-Za-z]\w*)(.*\S.*)", re.DOTALL)


class ContextualArgument(NamedTuple):
    """An argument that the router fills, with the text of its ``@fromContext(field:)``."""

    parent: TypeDefinition
    field: Field
    argument: Argument
    text: str
    line: int | None

    @property
    def coordinate(self) -> str:
        """``User.posts(since:)``."""
        return f"{self.parent.name}.{self.field.name}({self.argument.name}:)"


def context_name(subgraph: Subgraph, name: str) -> str:
    """A context's name in the supergraph: contexts of different subgraphs are different ones."""
    return f"{subgraph.name}__{name}"


def split_context_value(text: str) -> tuple[str, str] | None:
    """Split ``$user { name }`` into its context and selection; None when it is not of that form."""
    match = _VALUE.fullmatch(text)
    return (match[1], match[2]) if match else None


def contextual_arguments(subgraph: Subgraph) -> Iterator[ContextualArgument]:
    """Every contextual argument of a subgraph."""
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            for argument in field.arguments.values():
                use = argument.find(FederationDirective.FROM_CONTEXT)
                if use is not None:
                    text = use.string("field") or ""
                    yield ContextualArgument(definition, field, argument, text, use.line)
