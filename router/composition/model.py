"""A schema as composition sees it: one subgraph's, after parsing and normalising.

Own values rather than graphql-core's: they are comparable across subgraphs, know Federation's
directives by meaning instead of by local name, and can be rewritten with ``dataclasses.replace``
(which the Federation 1 upgrade does). They are never changed after they are built.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from graphql import (
    BooleanValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    print_ast,
)

from router.federation.directives import FederationDirective
from router.federation.versions import FEDERATION_1, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphql import ConstValueNode, ValueNode

    from router.composition.type_refs import TypeRef
    from router.federation.links import Link

__all__ = [
    "ROOT_TYPES",
    "Argument",
    "DirectiveDefinition",
    "DirectiveUse",
    "Element",
    "EnumValue",
    "Field",
    "Subgraph",
    "TypeDefinition",
    "TypeKind",
    "quoted",
    "value_text",
]

ROOT_TYPES: Final = ("Query", "Mutation", "Subscription")
"""The root types' names in a normalised subgraph and in every supergraph."""


class TypeKind(StrEnum):
    """The kind of a type definition, by its keyword."""

    SCALAR = "scalar"
    OBJECT = "type"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input"


def value_text(value: ValueNode | None) -> str | None:
    """A constant value printed on one line; what values are compared by. None for no value."""
    match value:
        case None:
            return None
        case ObjectValueNode(fields=fields):
            inner = (f"{item.name.value}: {value_text(item.value)}" for item in fields)
            return f"{{{', '.join(inner)}}}"
        case ListValueNode(values=values):
            return f"[{', '.join(value_text(item) or '' for item in values)}]"
        case StringValueNode():
            return print_ast(replace(value, block=False))
        case _:
            return print_ast(value)


def quoted(text: str) -> str:
    """A string as a GraphQL literal on one line."""
    return print_ast(StringValueNode(value=text))


@dataclass(frozen=True, slots=True)
class DirectiveUse:
    """One application of a directive. ``kind`` is None when Federation gives it no meaning."""

    kind: FederationDirective | None
    name: str  # the local name, without the @
    arguments: Mapping[str, ConstValueNode]
    line: int | None = None

    def string(self, name: str) -> str | None:
        """A string argument; None when missing or of another type."""
        value = self.arguments.get(name)
        return value.value if isinstance(value, StringValueNode) else None

    def boolean(self, name: str, *, default: bool) -> bool:
        """A Boolean argument, or its default."""
        value = self.arguments.get(name)
        return value.value if isinstance(value, BooleanValueNode) else default

    def integer(self, name: str) -> int | None:
        """An integer argument; None when missing or of another type."""
        value = self.arguments.get(name)
        return int(value.value) if isinstance(value, IntValueNode) else None

    def strings(self, name: str) -> tuple[str, ...] | None:
        """A list-of-strings argument; None when missing or null."""
        value = self.arguments.get(name)
        if isinstance(value, StringValueNode):
            return (value.value,)
        if not isinstance(value, ListValueNode):
            return None
        return tuple(item.value for item in value.values if isinstance(item, StringValueNode))

    @property
    def arguments_text(self) -> str:
        """The arguments as printed, without parentheses; what applications are compared by."""
        return ", ".join(f"{name}: {value_text(value)}" for name, value in self.arguments.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Anything that has a name, a description and directives."""

    name: str
    description: str | None = None
    uses: tuple[DirectiveUse, ...] = ()
    line: int | None = None

    def has(self, kind: FederationDirective) -> bool:
        """Whether a Federation directive stands on the element."""
        return any(use.kind is kind for use in self.uses)

    def find(self, kind: FederationDirective) -> DirectiveUse | None:
        """The first application of a Federation directive."""
        return next((use for use in self.uses if use.kind is kind), None)

    def all(self, kind: FederationDirective) -> Iterator[DirectiveUse]:
        """Every application of a Federation directive."""
        return (use for use in self.uses if use.kind is kind)

    def without(self, *kinds: FederationDirective) -> tuple[DirectiveUse, ...]:
        """The element's directives but for these."""
        return tuple(use for use in self.uses if use.kind not in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument(Element):
    """An argument of a field or directive, or a field of an input type."""

    type: TypeRef
    default: ConstValueNode | None = None

    @property
    def required(self) -> bool:
        """Whether a caller has to give it."""
        return str(self.type).endswith("!") and self.default is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Element):
    """A field of an object or interface type."""

    type: TypeRef
    arguments: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumValue(Element):
    """A value of an enum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefinition(Element):
    """A type with all its extensions folded in. Only the members of its kind are filled.

    ``is_extension``: the subgraph declares it as an extension of a type defined elsewhere (by
    ``extend`` without a definition, or by ``@extends``).
    """

    kind: TypeKind
    is_extension: bool = False
    interfaces: tuple[str, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=lambda: MappingProxyType({}))
    inputs: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))
    members: tuple[str, ...] = ()
    values: Mapping[str, EnumValue] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_interface_object(self) -> bool:
        """Whether this object stands for an interface of other subgraphs."""
        return self.has(FederationDirective.INTERFACE_OBJECT)

    @property
    def is_composite(self) -> bool:
        """Whether one can select fields on it."""
        return self.kind in {TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION}


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectiveDefinition(Element):
    """A directive that the subgraph defines itself."""

    arguments: Mapping[str, Argument]
    locations: tuple[str, ...]
    repeatable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """A normalised subgraph: root types have their standard names, federation's own types are gone.

    ``version`` is the Federation version its SDL is written in; ``federation`` the link that says
    so (None for Federation 1). ``schema`` has the description and directives of the schema itself.
    """

    name: str
    url: str
    types: Mapping[str, TypeDefinition]
    directives: Mapping[str, DirectiveDefinition] = field(
        default_factory=lambda: MappingProxyType({})
    )
    links: tuple[Link, ...] = ()
    federation: Link | None = None
    version: Version = FEDERATION_1
    schema: Element = Element(name="schema")

    @property
    def is_federation_1(self) -> bool:
        """Whether its SDL is written in Federation 1."""
        return self.version.major < 2

    def elements(self) -> Iterator[Element]:
        """Everything in the subgraph that can carry directives."""
        yield self.schema
        for definition in self.types.values():
            yield definition
            yield from definition.values.values()
            yield from definition.inputs.values()
            for item in definition.fields.values():
                yield item
                yield from item.arguments.values()

    def implementations(self, name: str) -> Iterator[TypeDefinition]:
        """The types of this subgraph that implement an interface."""
        return (definition for definition in self.types.values() if name in definition.interfaces)

    def local(self, kind: FederationDirective) -> str:
        """How this subgraph writes a Federation directive, ``@`` included; for messages."""
        return self.federation.local_name(f"@{kind}") if self.federation else f"@{kind}"
