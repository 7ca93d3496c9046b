"""The merged schema while it is being built, and what the printer prints.

Unlike the subgraphs' model this one is filled in stage by stage, so its classes are mutable; it
never leaves composition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from router.composition.model import TypeKind
    from router.composition.type_refs import TypeRef
    from router.federation.directives import FederationDirective
    from router.federation.versions import Version

__all__ = [
    "Graph",
    "MergedArgument",
    "MergedDirective",
    "MergedElement",
    "MergedField",
    "MergedLink",
    "MergedSupergraph",
    "MergedType",
    "MergedUse",
    "MergedValue",
]


@dataclass(frozen=True, slots=True)
class MergedUse:
    """A directive application of the supergraph; arguments are printed values, in order."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    kind: FederationDirective | None = None

    @override
    def __str__(self) -> str:
        if not self.arguments:
            return f"@{self.name}"
        inner = ", ".join(f"{name}: {value}" for name, value in self.arguments)
        return f"@{self.name}({inner})"


@dataclass(frozen=True, slots=True)
class Graph:
    """A subgraph's entry in ``join__Graph``."""

    value: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class MergedLink:
    """A ``@link`` of the supergraph. ``imports`` are printed entries."""

    url: str
    alias: str | None = None
    imports: tuple[str, ...] = ()
    purpose: str | None = None


@dataclass(slots=True, kw_only=True)
class MergedElement:
    """Anything of the supergraph that carries directives: ``joins`` are the join spec's."""

    name: str
    description: str | None = None
    joins: list[MergedUse] = field(default_factory=list)
    uses: list[MergedUse] = field(default_factory=list)

    def has(self, kind: FederationDirective) -> bool:
        """Whether a Federation directive was merged onto the element."""
        return any(use.kind is kind for use in self.uses)


@dataclass(slots=True, kw_only=True)
class MergedArgument(MergedElement):
    """An argument, or a field of an input type. ``default`` is printed."""

    type: TypeRef
    default: str | None = None

    @property
    def required(self) -> bool:
        """Whether a caller has to give it."""
        return str(self.type).endswith("!") and self.default is None


@dataclass(slots=True, kw_only=True)
class MergedField(MergedElement):
    """A field of an object or interface type."""

    type: TypeRef
    arguments: dict[str, MergedArgument] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class MergedValue(MergedElement):
    """A value of an enum."""


@dataclass(slots=True, kw_only=True)
class MergedType(MergedElement):
    """A type of the supergraph. Only the members of its kind are filled."""

    kind: TypeKind
    interfaces: list[str] = field(default_factory=list)
    fields: dict[str, MergedField] = field(default_factory=dict)
    inputs: dict[str, MergedArgument] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    values: dict[str, MergedValue] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class MergedDirective(MergedElement):
    """The definition of a directive that subgraphs define themselves."""

    arguments: dict[str, MergedArgument]
    locations: tuple[str, ...]
    repeatable: bool


@dataclass(slots=True, kw_only=True)
class MergedSupergraph:
    """The supergraph.

    ``join`` is the version of the join specification that it is written in. ``definitions`` are
    the specifications' directive definitions (SDL by name), ``scalars`` the scalars those need,
    ``directives`` the subgraphs' own.
    """

    graphs: tuple[Graph, ...]
    join: Version
    links: list[MergedLink] = field(default_factory=list)
    schema: MergedElement = field(default_factory=lambda: MergedElement(name="schema"))
    definitions: dict[str, str] = field(default_factory=dict)
    scalars: set[str] = field(default_factory=set)
    directives: dict[str, MergedDirective] = field(default_factory=dict)
    types: dict[str, MergedType] = field(default_factory=dict)
