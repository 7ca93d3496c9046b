"""What follows from a subgraph's directives: keys; which fields are external, provided, used.

Computed once per subgraph, after the Federation 1 upgrade, and read by the rules and the merge.
Field sets that do not parse or name unknown fields are skipped: ``rules/field_sets.py`` reports
them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphql import FieldNode, InlineFragmentNode
from typing_extensions import override

from router.composition.contexts import contextual_arguments, split_context_value
from router.composition.model import Subgraph, TypeKind
from router.composition.type_refs import base_name
from router.federation.directives import FederationDirective
from router.federation.field_sets import FieldSetError, parse_field_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphql import SelectionNode, SelectionSetNode

    from router.composition.model import DirectiveUse

__all__ = ["Coordinate", "Facts", "Key", "collect_facts", "field_set_text", "selected_fields"]


class Coordinate(NamedTuple):
    """A field of a type: ``User.name``."""

    type: str
    field: str

    @override
    def __str__(self) -> str:
        return f"{self.type}.{self.field}"


@dataclass(frozen=True, slots=True)
class Key:
    """One ``@key``, as written."""

    fields: str
    resolvable: bool

    @property
    def selections(self) -> tuple[SelectionNode, ...]:
        """The key's top-level selections; none when it does not parse."""
        try:
            return parse_field_set(self.fields).selections
        except FieldSetError:
            return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The derived facts of one subgraph.

    ``external`` leaves out the key fields of extensions: marking those was Federation 1's way to
    say that the type lives elsewhere, and the subgraph does give them. ``provided`` are external
    fields that some ``@provides`` makes available on its path. ``used`` are the fields that a
    key, a requirement, a provision, a context or an interface of this subgraph depends on.
    """

    keys: Mapping[str, tuple[Key, ...]]
    key_fields: frozenset[Coordinate]
    external: frozenset[Coordinate]
    provided: frozenset[Coordinate]
    shareable: frozenset[Coordinate]
    used: frozenset[Coordinate]

    def key_field_names(self, type_name: str) -> frozenset[str]:
        """The fields of a type that its own keys name directly."""
        return frozenset(
            item.name.value
            for key in self.keys.get(type_name, ())
            for item in key.selections
            if isinstance(item, FieldNode)
        )

    def is_external(self, type_name: str, field: str) -> bool:
        """Whether the subgraph only refers to the field."""
        return Coordinate(type_name, field) in self.external

    def resolves(self, type_name: str, field: str) -> bool:
        """Whether the subgraph can give the field, at least on some path."""
        coordinate = Coordinate(type_name, field)
        return coordinate not in self.external or coordinate in self.provided


def field_set_text(use: DirectiveUse) -> str | None:
    """The ``fields`` argument of a directive; Federation 1 also took a list of strings."""
    parts = use.strings("fields")
    return " ".join(parts) if parts else use.string("fields")


def selected_fields(
    subgraph: Subgraph, type_name: str, selection: SelectionSetNode
) -> Iterator[Coordinate]:
    """Every field that a selection names at any depth; on interfaces the implementations' too."""
    definition = subgraph.types.get(type_name)
    if definition is None:
        return
    for item in selection.selections:
        if isinstance(item, InlineFragmentNode):
            on = item.type_condition.name.value if item.type_condition else type_name
            yield from selected_fields(subgraph, on, item.selection_set)
        elif isinstance(item, FieldNode) and item.name.value in definition.fields:
            name = item.name.value
            yield Coordinate(type_name, name)
            if definition.kind is TypeKind.INTERFACE:
                for implementation in subgraph.implementations(type_name):
                    yield Coordinate(implementation.name, name)
            if item.selection_set:
                inner = base_name(definition.fields[name].type)
                yield from selected_fields(subgraph, inner, item.selection_set)


def collect_facts(subgraph: Subgraph) -> Facts:
    """Derive the facts of a subgraph."""
    keys = {
        name: tuple(
            Key(text, use.boolean("resolvable", default=True))
            for use in definition.all(FederationDirective.KEY)
            if (text := field_set_text(use)) is not None
        )
        for name, definition in subgraph.types.items()
    }
    by_key = {
        name: frozenset(
            coordinate for key in listed for coordinate in _fields_of(subgraph, name, key.fields)
        )
        for name, listed in keys.items()
    }
    key_fields = frozenset(coordinate for fields in by_key.values() for coordinate in fields)
    provided, required = _provided_and_required(subgraph)
    marked = frozenset(
        Coordinate(name, item.name)
        for name, definition in subgraph.types.items()
        for item in definition.fields.values()
        if item.has(FederationDirective.EXTERNAL)
    )
    assumed = frozenset(
        coordinate
        for name, fields in by_key.items()
        if subgraph.types[name].is_extension
        for coordinate in fields
    )
    return Facts(
        keys={name: listed for name, listed in keys.items() if listed},
        key_fields=key_fields,
        external=marked - assumed,
        provided=provided,
        shareable=_shareable(subgraph) | key_fields | (provided & marked),
        used=frozenset().union(
            key_fields,
            provided,
            required,
            _needed_by_interfaces(subgraph),
            _needed_by_contexts(subgraph),
        ),
    )


def _fields_of(subgraph: Subgraph, type_name: str, text: str | None) -> Iterator[Coordinate]:
    if text is None:
        return
    try:
        selection = parse_field_set(text)
    except FieldSetError:
        return
    yield from selected_fields(subgraph, type_name, selection)


def _provided_and_required(
    subgraph: Subgraph,
) -> tuple[frozenset[Coordinate], frozenset[Coordinate]]:
    found: dict[FederationDirective, set[Coordinate]] = defaultdict(set)
    for name, definition in subgraph.types.items():
        for item in definition.fields.values():
            for use in item.all(FederationDirective.PROVIDES):
                target = base_name(item.type)
                found[FederationDirective.PROVIDES].update(
                    _fields_of(subgraph, target, field_set_text(use))
                )
            for use in item.all(FederationDirective.REQUIRES):
                found[FederationDirective.REQUIRES].update(
                    _fields_of(subgraph, name, field_set_text(use))
                )
    return (
        frozenset(found[FederationDirective.PROVIDES]),
        frozenset(found[FederationDirective.REQUIRES]),
    )


def _shareable(subgraph: Subgraph) -> frozenset[Coordinate]:
    return frozenset(
        Coordinate(name, item.name)
        for name, definition in subgraph.types.items()
        for item in definition.fields.values()
        if item.has(FederationDirective.SHAREABLE)
    )


def _needed_by_contexts(subgraph: Subgraph) -> frozenset[Coordinate]:
    """Fields that contextual arguments are filled from."""
    places: dict[str, set[str]] = defaultdict(set)
    for name, definition in subgraph.types.items():
        for use in definition.all(FederationDirective.CONTEXT):
            places[use.string("name") or ""].update((name, *definition.members))
    values = (split_context_value(argument.text) for argument in contextual_arguments(subgraph))
    return frozenset(
        coordinate
        for context, selection in filter(None, values)
        for name in places[context]
        for coordinate in _fields_of(subgraph, name, selection)
    )


def _needed_by_interfaces(subgraph: Subgraph) -> frozenset[Coordinate]:
    """Fields that a type must declare because an interface of the subgraph has them."""
    return frozenset(
        Coordinate(name, field)
        for name, definition in subgraph.types.items()
        for interface in definition.interfaces
        if interface in subgraph.types
        for field in subgraph.types[interface].fields
    )
