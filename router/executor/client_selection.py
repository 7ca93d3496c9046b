"""What the client asked for, by runtime type: the CollectFields of the specification.

Both projections walk the response through this module, so they agree on which fields an object
has and in which order. Conditions are already decided (``conditions``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
)

from router.executor.conditions import is_selected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from router.executor.withheld import Withheld
    from router.planner.plan import Deferral

__all__ = ["TYPENAME", "ClientField", "ClientSelection", "DeferredFragment", "KeyTree"]

TYPENAME = "__typename"
_META_FIELDS = frozenset({"__schema", "__type"})

_NOTHING: frozenset[int] = frozenset()
_Occurrence: TypeAlias = tuple[str, FieldNode, bool]  # the type it stands on; is it withheld?

KeyTree: TypeAlias = "dict[str, KeyTree]"  # every response key that may occur, by level


@dataclass(frozen=True, slots=True, eq=False)
class ClientField:
    """One response key of an object: its field and the selection sets merged below it.

    ``type`` is None for ``__typename``, ``__schema`` and ``__type``, which no subgraph is asked
    for. ``withheld``: some occurrence of it is not for this caller, so its value is null.
    """

    key: str
    name: str
    parent: str  # the type it is read on, for messages
    type: GraphQLOutputType | None
    nodes: tuple[FieldNode, ...]
    withheld: bool = False

    @property
    def selection_sets(self) -> tuple[SelectionSetNode, ...]:
        """The selection sets of all occurrences of this field, to be merged."""
        return tuple(node.selection_set for node in self.nodes if node.selection_set is not None)

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for fields that are projected the same way."""
        return (self.key, self.name, str(self.type), tuple(map(id, self.nodes)), self.withheld)


@dataclass(frozen=True, slots=True, eq=False)
class DeferredFragment:
    """What is selected on an object below one ``@defer``."""

    deferral: Deferral
    selections: SelectionSetNode


class ClientSelection:
    """The client's operation, with its conditions decided.

    ``deferrals`` are those that count, by the ``id()`` of the fragment that is deferred; the fields
    below them are left out.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
        withheld: Withheld | None = None,
        deferrals: Mapping[int, Deferral] | None = None,
    ) -> None:
        self._schema = schema
        self._deferrals = deferrals or {}
        self._conditions = conditions
        self._withheld = withheld.nodes if withheld is not None and withheld.hides else _NOTHING
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.root = (operation.selection_set,)
        self._fields: dict[tuple[object, ...], tuple[ClientField, ...]] = {}
        self._below: dict[int, SelectionSetNode] = {}

    def fields(
        self, runtime: str | None, declared: str, selection_sets: tuple[SelectionSetNode, ...]
    ) -> tuple[ClientField, ...]:
        """Return the fields of an object in query order.

        ``runtime`` is its type, None if that is not known: then only what every type of
        ``declared`` has is there.
        """
        cache_key = (runtime, declared, *map(id, selection_sets))
        found = self._fields.get(cache_key)
        if found is None:
            found = self._fields[cache_key] = self._collect(runtime, declared, selection_sets)
        return found

    def _collect(
        self, runtime: str | None, declared: str, selection_sets: tuple[SelectionSetNode, ...]
    ) -> tuple[ClientField, ...]:
        nodes: dict[str, list[_Occurrence]] = {}
        spread: set[str] = set()
        for selection_set in selection_sets:
            walk = self._walk(selection_set, declared, (runtime, declared), spread, hidden=False)
            for parent, node, hidden in walk:
                key = node.alias.value if node.alias else node.name.value
                nodes.setdefault(key, []).append((runtime or parent, node, hidden))
        return tuple(self._field(key, group) for key, group in nodes.items())

    def _field(self, key: str, group: list[_Occurrence]) -> ClientField:
        parent, first, _ = group[0]
        name = first.name.value
        return ClientField(
            key,
            name,
            parent,
            self._type(parent, name),
            tuple(node for _, node, _ in group),
            withheld=any(hidden for _, _, hidden in group),
        )

    def _walk(
        self,
        selection_set: SelectionSetNode,
        parent: str,
        of: tuple[str | None, str],
        spread: set[str],
        *,
        hidden: bool,
    ) -> Iterator[_Occurrence]:
        """Yield the selected fields with the type they stand on, and whether they are withheld.

        ``of`` is the runtime and the declared type.
        """
        for node in selection_set.selections:
            if not is_selected(node, self._conditions) or id(node) in self._deferrals:
                continue
            match node:
                case FieldNode():
                    yield parent, node, hidden or id(node) in self._withheld
                case InlineFragmentNode():
                    condition = node.type_condition.name.value if node.type_condition else parent
                    if self._applies(condition, *of):
                        inner = hidden or id(node) in self._withheld
                        yield from self._walk(
                            node.selection_set, condition, of, spread, hidden=inner
                        )
                case FragmentSpreadNode() if node.name.value not in spread:
                    spread.add(node.name.value)  # as often as it is spread, it counts once
                    fragment = self._fragments[node.name.value]
                    condition = fragment.type_condition.name.value
                    if self._applies(condition, *of):
                        inner = hidden or id(fragment) in self._withheld
                        yield from self._walk(
                            fragment.selection_set, condition, of, spread, hidden=inner
                        )

    @property
    def defers(self) -> bool:
        """Whether anything is deferred."""
        return bool(self._deferrals)

    def deferred(
        self, runtime: str | None, declared: str, selection_sets: tuple[SelectionSetNode, ...]
    ) -> Iterator[DeferredFragment]:
        """Yield the deferred fragments on an object, each once, but not those inside of them."""
        seen: set[int] = set()
        for selection_set in selection_sets:
            yield from self._deferred_in(selection_set, declared, (runtime, declared), seen)

    def _deferred_in(
        self,
        selection_set: SelectionSetNode,
        parent: str,
        of: tuple[str | None, str],
        seen: set[int],
    ) -> Iterator[DeferredFragment]:
        for node in selection_set.selections:
            if isinstance(node, FieldNode) or not is_selected(node, self._conditions):
                continue
            fragment = node if isinstance(node, InlineFragmentNode) else self._fragment_of(node)
            condition = fragment.type_condition.name.value if fragment.type_condition else parent
            if id(node) in seen or not self._applies(condition, *of):
                continue
            seen.add(id(node))
            if id(node) in self._deferrals:
                below = self._selections_below(node, condition, fragment.selection_set)
                yield DeferredFragment(self._deferrals[id(node)], below)
            else:
                yield from self._deferred_in(fragment.selection_set, condition, of, seen)

    def _fragment_of(self, node: SelectionNode) -> FragmentDefinitionNode:
        assert isinstance(node, FragmentSpreadNode)
        return self._fragments[node.name.value]

    def _selections_below(
        self, node: SelectionNode, condition: str, selections: SelectionSetNode
    ) -> SelectionSetNode:
        """Return what is selected below a deferral, under its type and without the deferral."""
        if id(node) not in self._below:
            named = NamedTypeNode(name=NameNode(value=condition))
            fragment = InlineFragmentNode(
                type_condition=named, directives=(), selection_set=selections
            )
            self._below[id(node)] = SelectionSetNode(selections=(fragment,))
        return self._below[id(node)]

    def _applies(self, condition: str, runtime: str | None, declared: str) -> bool:
        if condition in (runtime, declared):
            return True
        possible = self.possible_types(condition)
        if runtime is not None:
            return runtime in possible
        return self.possible_types(declared) <= possible

    def possible_types(self, name: str) -> frozenset[str]:
        """Return the object types clients may see where ``name`` is declared."""
        graphql_type = self._schema.get_type(name)
        if isinstance(graphql_type, GraphQLObjectType):
            return frozenset({name})
        if graphql_type is not None and is_abstract_type(graphql_type):
            possible = self._schema.get_possible_types(graphql_type)
            return frozenset(possible_type.name for possible_type in possible)
        return frozenset()

    def _type(self, parent: str, name: str) -> GraphQLOutputType | None:
        if name == TYPENAME or name in _META_FIELDS:
            return None
        parent_type = self._schema.get_type(parent)
        if isinstance(parent_type, (GraphQLObjectType, GraphQLInterfaceType)):
            field_type: GraphQLOutputType = parent_type.fields[name].type
            return field_type
        return None

    def key_tree(self) -> KeyTree:
        """Return every response key that may occur in the response, whatever the runtime types."""
        return self._key_tree(self.root)

    def _key_tree(self, selection_sets: tuple[SelectionSetNode, ...]) -> KeyTree:
        nested: dict[str, list[SelectionSetNode]] = {}
        spread: set[str] = set()
        for selection_set in selection_sets:
            for node in self._walk_all(selection_set, spread):
                key = node.alias.value if node.alias else node.name.value
                below = nested.setdefault(key, [])
                if node.selection_set is not None:
                    below.append(node.selection_set)
        return {key: self._key_tree(tuple(below)) for key, below in nested.items()}

    def _walk_all(self, selection_set: SelectionSetNode, spread: set[str]) -> Iterator[FieldNode]:
        for node in selection_set.selections:
            if not is_selected(node, self._conditions):
                continue
            match node:
                case FieldNode():
                    yield node
                case InlineFragmentNode():
                    yield from self._walk_all(node.selection_set, spread)
                case FragmentSpreadNode() if node.name.value not in spread:
                    spread.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    yield from self._walk_all(fragment.selection_set, spread)
