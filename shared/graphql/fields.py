"""Fields whose description is the docstring of their resolver: one text for the reader of the code
and of the schema.

Typed decorators, where Strawberry's own forget the type as soon as they are given an argument.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry.types.field import StrawberryField

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["documented_field", "documented_mutation", "documented_subscription"]


def documented_field(resolver: Callable[..., object]) -> StrawberryField:
    """A field of an object type or of Query."""
    return _checked(strawberry.field(resolver, description=_description(resolver)))


def documented_mutation(resolver: Callable[..., object]) -> StrawberryField:
    """A field of Mutation."""
    return _checked(strawberry.mutation(resolver, description=_description(resolver)))


def documented_subscription(resolver: Callable[..., object]) -> StrawberryField:
    """A field of Subscription."""
    return _checked(strawberry.subscription(resolver, description=_description(resolver)))


def _description(resolver: Callable[..., object]) -> str:
    text = inspect.getdoc(resolver)
    if not text:
        raise TypeError(f"{resolver.__qualname__} needs a docstring: it is what clients read")
    # paragraphs are kept, line breaks within them are the source file's
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _checked(field: Any) -> StrawberryField:  # Any: what Strawberry says it returns
    if not isinstance(field, StrawberryField):
        raise TypeError("not a Strawberry field")
    return field
