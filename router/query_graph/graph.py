"""The query graph: which moves there are from an object seen in one subgraph.

Nodes are :class:`ViewNode`, a type as one subgraph sees it (under what the path provides). From a
node one can

* take a *field move* to a field the subgraph resolves, perhaps after a requirement is met;
* take a *key move* into another subgraph that can be entered by a key of the type.

Nodes are not stored: there would be one per path that provides something. The moves out of a node
are computed from the supergraph's indexes when first asked for, and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from router.query_graph.provided import Provided
from router.query_graph.selections import TYPENAME
from router.supergraph import TypeKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from graphql import SelectionSetNode

    from router.supergraph import ContextArgument, FieldJoin, Key, Supergraph, SupergraphField

__all__ = ["FieldMove", "KeyMove", "QueryGraph", "ViewNode"]

_NO_LABELS: frozenset[str] = frozenset()
_NOTHING: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class ViewNode:
    """An object as one subgraph sees it.

    ``type_name`` is what the subgraph declares: an object type, an abstract type, or an interface
    it has as an object.
    """

    subgraph: str
    type_name: str
    provided: Provided | None = None
    root: bool = False  # where an operation begins: other roots can be entered without a key


@dataclass(frozen=True, slots=True)
class FieldMove:
    """A field that a subgraph resolves. ``target`` is None for leaves."""

    target: ViewNode | None
    requires: SelectionSetNode | None = None
    contexts: tuple[ContextArgument, ...] = ()

    @property
    def is_computed(self) -> bool:
        """Whether the subgraph has to be entered anew, with what the field is computed from."""
        return self.requires is not None or bool(self.contexts)


@dataclass(frozen=True, slots=True)
class KeyMove:
    """A way into a subgraph: by ``key``, arriving at ``target``.

    ``key`` is None for the way into a root type, which needs none. ``typename`` is what the
    representation must call the object: None for its own runtime type, the interface's name for an
    interface object.
    """

    target: ViewNode
    key: Key | None
    typename: str | None = None


class QueryGraph:
    """All moves of one supergraph. Built once; safe to share between plans.

    ``labels`` are those of progressive ``@override``s that are switched on: each set has a graph.
    ``asked`` collects the labels, on or off, that moves depended on since somebody emptied it.
    """

    def __init__(self, supergraph: Supergraph, labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self._labels = labels
        self._labels_of = supergraph.override_labels
        self.asked: set[str] = set()
        self.root_names = frozenset(supergraph.root_types.values())
        self.query_name = supergraph.root_types.get("query")
        # The roots whose fields have effects, or a stream each: no second subgraph is asked for
        # them.
        self.once_only = self.root_names - {self.query_name}
        self._field_moves: dict[tuple[ViewNode, str, str], FieldMove | None] = {}
        self._key_moves: dict[str, tuple[KeyMove, ...]] = {}
        self._provided: dict[int, Provided] = {}
        self._context_values: dict[frozenset[str], frozenset[int]] = {}
        self._likeness: dict[tuple[str, str, tuple[str, ...]], Hashable] = {}

    def field_move(self, node: ViewNode, type_name: str, field: str) -> FieldMove | None:
        """How ``node``'s subgraph resolves ``field`` on an object of runtime type ``type_name``;
        None if it cannot.
        """
        if self._labels_of:
            for owner in (type_name, node.type_name):
                self.asked |= self._labels_of.get((owner, field), _NO_LABELS)
        key = (node, type_name, field)
        if key not in self._field_moves:
            self._field_moves[key] = self._find_field_move(node, type_name, field)
        return self._field_moves[key]

    def _find_field_move(self, node: ViewNode, type_name: str, field: str) -> FieldMove | None:
        interface_object = self.is_interface_object(node)
        if field == TYPENAME:
            # An interface object does not know its runtime type; its own name for it is no answer.
            return None if interface_object else FieldMove(None)
        owner = self.supergraph.types[node.type_name if interface_object else type_name]
        if owner.is_abstract and not interface_object and self._implementations(node):
            return self._common_move(node, field)
        definition = owner.fields.get(field)
        join = definition.joins.get(node.subgraph) if definition else None
        if definition is None or join is None:
            return None
        provided, below = False, None
        if node.provided is not None:
            provided, below = node.provided.lookup(type_name, field, self.supergraph.possible_types)
        if not provided and not (join.resolvable and self._is_switched_on(node, definition)):
            return None
        # What a path provides is there as it is: nothing is computed.
        requires, contexts = (None, ()) if provided else (join.requires, join.contexts)
        target = self.supergraph.types.get(join.type_name)  # None: a built-in scalar
        if target is None or not target.is_composite:
            return FieldMove(None, requires, contexts)
        below_it = ViewNode(node.subgraph, join.type_name, self._below(join, below))
        return FieldMove(below_it, requires, contexts)

    def _implementations(self, node: ViewNode) -> frozenset[str]:
        return self.supergraph.possible_types_in(node.subgraph, node.type_name)

    def _common_move(self, node: ViewNode, field: str) -> FieldMove | None:
        """The move for an interface as such: the one all its implementations there share."""
        definition = self.supergraph.types[node.type_name].fields.get(field)
        if definition is None or node.subgraph not in definition.joins:
            return None
        moves = {self.field_move(node, name, field) for name in self._implementations(node)}
        (move, *others) = moves
        return None if others or move is None or move.is_computed else move

    def _is_switched_on(self, node: ViewNode, definition: SupergraphField) -> bool:
        """Whether a progressive override leaves the field with this subgraph."""
        own = definition.joins[node.subgraph]
        if own.override_label is not None and own.override_from is not None:
            return own.override_label in self._labels
        return not any(
            join.override_label in self._labels and join.override_from == node.subgraph
            for join in definition.joins.values()
        )

    def _below(self, join: FieldJoin, inherited: Provided | None) -> Provided | None:
        if join.provides is None:
            return inherited
        own = self._provided.setdefault(id(join), Provided.of(join.provides))
        return own.merge(inherited) if inherited else own

    def is_interface_object(self, node: ViewNode) -> bool:
        """Whether the subgraph has the node's type as an object that stands for an interface."""
        join = self.supergraph.types[node.type_name].joins.get(node.subgraph)
        return join is not None and join.interface_object

    def is_source(self, node: ViewNode, type_name: str, field: str, asked_on: str) -> bool:
        """Whether a field that was asked on a type may be read from a view.

        An interface object and the concrete types may both have the field. Asked on the interface
        it is the interface object's, asked on a concrete type it is that type's own. Keys are the
        same everywhere.
        """
        if field == TYPENAME:
            return True
        asked = self.supergraph.types.get(asked_on)
        here = self.is_interface_object(node)
        if asked is None or asked.kind is not TypeKind.INTERFACE:
            own = self.supergraph.types[type_name].fields.get(field)
            return not here or own is None or not own.joins or self._is_key(node, field)
        definition = asked.fields.get(field)
        if here or definition is None or not self._has_interface_object(asked.name, field):
            return True
        return node.subgraph in definition.joins

    def _is_key(self, node: ViewNode, field: str) -> bool:
        join = self.supergraph.types[node.type_name].joins[node.subgraph]
        return any(
            getattr(selection, "name", None) is not None and selection.name.value == field  # type: ignore[attr-defined]
            for key in join.keys
            for selection in key.selection.selections
        )

    def _has_interface_object(self, interface: str, field: str) -> bool:
        type_ = self.supergraph.types[interface]
        return any(
            type_.joins[subgraph].interface_object and join.resolvable
            for subgraph, join in type_.fields[field].joins.items()
        )

    def may_be(self, node: ViewNode, type_name: str) -> bool:
        """Whether an object that ``node`` declares can match a fragment on ``type_name`` there."""
        possible = self.supergraph.possible_types_in
        return bool(possible(node.subgraph, node.type_name) & possible(node.subgraph, type_name))

    def sees(self, node: ViewNode, type_name: str) -> bool:
        """Whether an object that ``node`` declares can have the runtime type ``type_name`` in that
        subgraph.
        """
        if type_name == node.type_name:
            return True
        return type_name in self.supergraph.possible_types_in(node.subgraph, node.type_name)

    def key_moves(self, type_name: str) -> tuple[KeyMove, ...]:
        """Every way to enter a subgraph with an object of runtime type ``type_name``."""
        if type_name not in self._key_moves:
            self._key_moves[type_name] = tuple(self._find_key_moves(type_name))
        return self._key_moves[type_name]

    def root_moves(self, type_name: str) -> tuple[KeyMove, ...]:
        """Every way to begin an operation, or to begin anew, at a root type."""
        joins = self.supergraph.types[type_name].joins
        return tuple(KeyMove(ViewNode(subgraph, type_name, root=True), None) for subgraph in joins)

    def _find_key_moves(self, type_name: str) -> list[KeyMove]:
        type_ = self.supergraph.types[type_name]
        moves = [
            KeyMove(ViewNode(subgraph, type_name), key)
            for subgraph, join in type_.joins.items()
            for key in join.keys
            if key.resolvable
        ]
        for interface in sorted(type_.interfaces):
            for subgraph, join in self.supergraph.types[interface].joins.items():
                if join.interface_object:
                    target = ViewNode(subgraph, interface)
                    moves.extend(
                        KeyMove(target, key, typename=interface)
                        for key in join.keys
                        if key.resolvable
                    )
        return moves

    def context_values(self, types: frozenset[str]) -> frozenset[int]:
        """The numbers of the contextual values that objects of all these types set."""
        values = self.supergraph.context_values
        if not values:
            return _NOTHING
        if types not in self._context_values:
            setting = (number for number, value in values.items() if types <= value.types)
            self._context_values[types] = frozenset(setting)
        return self._context_values[types]

    def likeness(self, declared: str, type_name: str, wanted: Sequence[str]) -> Hashable:
        """Equal for two types that differ in no move, given the declared type and the fields
        wanted.
        """
        key = (declared, type_name, tuple(wanted))
        if key not in self._likeness:
            self._likeness[key] = self._find_likeness(declared, type_name, wanted)
        return self._likeness[key]

    def _find_likeness(self, declared: str, type_name: str, wanted: Sequence[str]) -> Hashable:
        supergraph = self.supergraph
        type_ = supergraph.types[type_name]
        fields = tuple(type_.fields.get(name) for name in wanted)
        return (
            tuple(
                sorted(
                    (
                        subgraph,
                        tuple((k.text, k.resolvable) for k in join.keys),
                        type_name in supergraph.possible_types_in(subgraph, declared),
                    )
                    for subgraph, join in type_.joins.items()
                )
            ),
            tuple(
                f
                and (
                    f.type_name,
                    f.list_depth,
                    tuple(sorted((s, *_traits(j)) for s, j in f.joins.items())),
                )
                for f in fields
            ),
            tuple(sorted(i for i in type_.interfaces if _has_interface_object(supergraph, i))),
            self.context_values(frozenset({type_name})),
        )


def _traits(join: FieldJoin) -> tuple[bool, bool, str, str, str, str, str, str]:
    """What of a field's join decides its moves, in a comparable form."""
    return (
        join.resolvable,
        join.provides is not None,
        join.type_name,
        join.nullable_shape,
        "" if join.requires is None else str(id(join)),  # requirements are planned per type
        join.override_label or "",
        join.override_from or "",
        ",".join(f"{argument.name}={argument.number}" for argument in join.contexts),
    )


def _has_interface_object(supergraph: Supergraph, interface: str) -> bool:
    return any(join.interface_object for join in supergraph.types[interface].joins.values())
