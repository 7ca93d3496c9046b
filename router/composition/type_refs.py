"""Type references (``[User!]!``) as comparable values, independent of any one schema.

Subgraphs' schemas are different objects, so graphql-core's types cannot be compared across them;
these can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode
from typing_extensions import override

__all__ = [
    "ListRef",
    "NamedRef",
    "NonNullRef",
    "TypeRef",
    "base_name",
    "is_list",
    "nullable",
    "rename",
    "type_ref",
]


@dataclass(frozen=True, slots=True)
class NamedRef:
    """A type by its name."""

    name: str

    @override
    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListRef:
    """A list of something."""

    of: TypeRef

    @override
    def __str__(self) -> str:
        return f"[{self.of}]"


@dataclass(frozen=True, slots=True)
class NonNullRef:
    """Something that is never null."""

    of: NamedRef | ListRef

    @override
    def __str__(self) -> str:
        return f"{self.of}!"


TypeRef: TypeAlias = NamedRef | ListRef | NonNullRef


def type_ref(node: TypeNode) -> TypeRef:
    """The reference that a syntax node stands for."""
    if isinstance(node, NonNullTypeNode):
        inner = type_ref(node.type)
        return inner if isinstance(inner, NonNullRef) else NonNullRef(inner)
    if isinstance(node, ListTypeNode):
        return ListRef(type_ref(node.type))
    if isinstance(node, NamedTypeNode):
        return NamedRef(node.name.value)
    raise TypeError(type(node).__name__)


def base_name(ref: TypeRef) -> str:
    """The named type at the bottom of a reference."""
    while not isinstance(ref, NamedRef):
        ref = ref.of
    return ref.name


def nullable(ref: TypeRef) -> NamedRef | ListRef:
    """The reference without its outermost ``!``."""
    return ref.of if isinstance(ref, NonNullRef) else ref


def is_list(ref: TypeRef) -> bool:
    """Whether the value is a list, null or not."""
    return isinstance(nullable(ref), ListRef)


def rename(ref: TypeRef, names: dict[str, str]) -> TypeRef:
    """The same reference with its named type renamed."""
    match ref:
        case NamedRef(name):
            return NamedRef(names.get(name, name))
        case ListRef(of):
            return ListRef(rename(of, names))
        case NonNullRef(of):
            inner = rename(of, names)
            return inner if isinstance(inner, NonNullRef) else NonNullRef(inner)
