"""The supergraph, parsed once: what planner, composition's satisfiability check and executor read.

Immutable and indexed by what is looked up: type, field, subgraph. Nothing after
:func:`router.supergraph.load_supergraph` reads SDL or directives again. Terms and join directives:
https://specs.apollo.dev/join/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from router.federation.access import FREE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLSchema, SelectionSetNode

    from router.federation.access import Access
    from router.supergraph.costs import Costs

__all__ = [
    "ContextArgument",
    "ContextValue",
    "FieldJoin",
    "Key",
    "Subgraph",
    "Supergraph",
    "SupergraphField",
    "SupergraphType",
    "TypeJoin",
    "TypeKind",
]


class TypeKind(StrEnum):
    """The kinds of named types."""

    OBJECT = "OBJECT"
    INTERFACE = "INTERFACE"
    UNION = "UNION"
    ENUM = "ENUM"
    INPUT = "INPUT_OBJECT"
    SCALAR = "SCALAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """One subgraph: its name as in the configuration and the address it is reached at."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One ``@key`` of a type in one subgraph. ``resolvable`` false: the subgraph names the key but
    cannot be entered by it.
    """

    text: str
    selection: SelectionSetNode
    resolvable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeJoin:
    """How one subgraph has one type."""

    keys: tuple[Key, ...] = ()
    interface_object: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextArgument:
    """An argument that the router fills from an object further up (``@fromContext``).

    ``context`` is the context's name in the supergraph, ``type`` the argument's as the subgraph
    prints it. Arguments with the same context, selection and type have one ``number``: their value
    is the same.
    """

    name: str
    context: str
    type: str
    selection: SelectionSetNode
    number: int


@dataclass(frozen=True, slots=True)
class ContextValue:
    """What contextual arguments are filled with: a selection on the nearest object further up that
    has one of the types. ``type`` is that of the value, as the subgraph prints it.
    """

    selection: SelectionSetNode
    type: str
    types: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldJoin:
    """How one subgraph has one field.

    ``external``: it names the field but cannot resolve it, unless the path provides it.
    ``overridden``: another subgraph took the field over; it is kept only because something here
    requires it. ``type_name`` is the named type the field has in that subgraph, which may be
    narrower than the supergraph's.
    """

    type_name: str
    nullable_shape: (
        str  # the type as the subgraph prints it, for conflicts between same-named fields
    )
    external: bool = False
    overridden: bool = False
    requires: SelectionSetNode | None = None
    provides: SelectionSetNode | None = None
    override_label: str | None = None
    override_from: str | None = None
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def resolvable(self) -> bool:
        """Whether the subgraph can resolve the field wherever it has the object (its ``requires``
        given).
        """
        return not self.external and not self.overridden


@dataclass(frozen=True, slots=True, kw_only=True)
class SupergraphField:
    """One field of an object or interface type, with the subgraphs that have it.

    ``access`` is what the directives on the field itself ask of a client.
    """

    name: str
    type_name: str
    list_depth: int
    joins: Mapping[str, FieldJoin]
    access: Access = FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class SupergraphType:
    """One named type. ``possible`` holds, for interfaces and unions, the object types each subgraph
    may return; ``contexts`` the names of the contexts that its objects set.
    """

    name: str
    kind: TypeKind
    joins: Mapping[str, TypeJoin]
    fields: Mapping[str, SupergraphField] = field(default_factory=dict)
    interfaces: frozenset[str] = frozenset()
    possible: Mapping[str, frozenset[str]] = field(default_factory=dict)
    contexts: frozenset[str] = frozenset()
    inaccessible: bool = False
    access: Access = FREE

    @property
    def is_abstract(self) -> bool:
        """Whether objects of the type have a runtime type of their own."""
        return self.kind in {TypeKind.INTERFACE, TypeKind.UNION}

    @property
    def is_composite(self) -> bool:
        """Whether a field of the type takes a selection set."""
        return self.kind is TypeKind.OBJECT or self.is_abstract


@dataclass(frozen=True, kw_only=True)
class Supergraph:
    """The whole model, with the two executable views of it.

    ``schema`` has every element; ``api_schema`` is what clients see, without federation machinery
    and without what is ``@inaccessible``.
    """

    subgraphs: Mapping[str, Subgraph]
    types: Mapping[str, SupergraphType]
    schema: GraphQLSchema
    api_schema: GraphQLSchema
    root_types: Mapping[str, str]  # "query" | "mutation" | "subscription" -> type name
    costs: Costs
    digest: str = ""  # of the document's text, hexadecimal: tells supergraphs apart

    @cached_property
    def _possible(self) -> dict[str, frozenset[str]]:
        result: dict[str, frozenset[str]] = {}
        for name, type_ in self.types.items():
            if type_.kind is TypeKind.OBJECT:
                result[name] = frozenset({name})
            elif type_.kind is TypeKind.UNION:
                result[name] = frozenset().union(*type_.possible.values())
            elif type_.kind is TypeKind.INTERFACE:
                result[name] = frozenset(
                    other.name
                    for other in self.types.values()
                    if other.kind is TypeKind.OBJECT and name in other.interfaces
                )
        return result

    @cached_property
    def override_labels(self) -> dict[tuple[str, str], frozenset[str]]:
        """The labels of progressive overrides, by type and field, none for most supergraphs; an
        interface has those of its implementations too.
        """
        found: dict[tuple[str, str], frozenset[str]] = {}
        for type_ in self.types.values():
            for field_ in type_.fields.values():
                labels = {join.override_label for join in field_.joins.values()} - {None}
                for name in (type_.name, *type_.interfaces) if labels else ():
                    key = (name, field_.name)
                    found[key] = found.get(key, frozenset()).union(filter(None, labels))
        return found

    @cached_property
    def context_values(self) -> Mapping[int, ContextValue]:
        """What contextual arguments are filled with, by number.

        Never from a mutation's or subscription's root: to read its fields is to run them.
        """
        result: dict[int, ContextValue] = {}
        run = {self.root_types.get("mutation"), self.root_types.get("subscription")}
        holders = [t for t in self.types.values() if t.contexts and t.name not in run]
        for type_ in self.types.values() if holders else ():
            for field_ in type_.fields.values():
                for subgraph, join in field_.joins.items():
                    for argument in join.contexts:
                        # One on an interface or union is set by all types it has in the subgraph.
                        setters = (
                            self.possible_types_in(subgraph, holder.name)
                            for holder in holders
                            if argument.context in holder.contexts
                        )
                        types = frozenset[str]().union(*setters)
                        result[argument.number] = ContextValue(
                            argument.selection, argument.type, types
                        )
        return result

    def possible_types(self, name: str) -> frozenset[str]:
        """The object types an object of the named type may have at run time, over all subgraphs."""
        return self._possible.get(name, frozenset())

    def resolves(self, subgraph: str, parent: str, field: str) -> bool:
        """Tell whether a subgraph can resolve a field of ``parent`` wherever it has the object."""
        type_ = self.types.get(parent)
        found = None if type_ is None else type_.fields.get(field)
        join = None if found is None else found.joins.get(subgraph)
        return join is not None and join.resolvable and join.requires is None

    def possible_types_in(self, subgraph: str, name: str) -> frozenset[str]:
        """The object types that one subgraph may return where it declares the named type.

        An interface object is an object of unknown type there: it may stand for any implementation.
        """
        type_ = self.types[name]
        join = type_.joins.get(subgraph)
        if join is None:
            return frozenset()
        if type_.kind is TypeKind.OBJECT:
            return frozenset({name})
        if join.interface_object:
            return self.possible_types(name)
        return type_.possible.get(subgraph, frozenset())
