"""The guarded places of an operation: its fields and fragments that not everybody may select.

Whether a selection is guarded depends on where it stands in the document, never on the path that
leads there, so every field and fragment is looked at once. Most operations have no guard, and are
never looked at again.

A field of an interface or union type counts as reading objects of that type when it selects fields
of the type itself. When it only has fragments on other types (and ``__typename``), they are
guarded instead, and the field asks only that some possible type may be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    get_named_type,
    is_abstract_type,
)

from router.server.access.rules import Requirement

if TYPE_CHECKING:
    from graphql import (
        DocumentNode,
        GraphQLSchema,
        OperationDefinitionNode,
        SelectionNode,
        SelectionSetNode,
    )

    from router.server.access.rules import AccessRules

__all__ = ["Guards", "find_guards"]

_Node: TypeAlias = FieldNode | InlineFragmentNode | FragmentDefinitionNode


@dataclass(frozen=True, slots=True)
class Guards:
    """``rules`` are distinct; ``places`` maps the ``id()`` of a node to the number of its rule."""

    rules: tuple[Requirement, ...]
    places: dict[int, int]

    def behind(self, passed: tuple[bool, ...]) -> frozenset[int]:
        """The nodes that stay closed to a caller who has passed these rules."""
        return frozenset(node for node, rule in self.places.items() if not passed[rule])

    @property
    def policies(self) -> frozenset[str]:
        """Every policy that has to be decided for this operation."""
        return frozenset[str]().union(*(rule.policies for rule in self.rules))


def find_guards(
    rules: AccessRules,
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
) -> Guards | None:
    """Find the guards of an operation that is valid against the API schema; None without any."""
    if rules.is_open:
        return None
    search = _Search(rules, schema, document)
    root = schema.get_root_type(operation.operation)
    if root is not None:
        search.visit(operation.selection_set, root.name)
    return Guards(tuple(search.numbers), search.places) if search.places else None


class _Search:
    def __init__(self, rules: AccessRules, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._rules = rules
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._visited: set[str] = set()
        self._reading: dict[tuple[str, str], bool] = {}
        self.numbers: dict[Requirement, int] = {}
        self.places: dict[int, int] = {}

    def visit(self, selections: SelectionSetNode, parent: str) -> None:
        for node in selections.selections:
            match node:
                case FieldNode():
                    self._field(node, parent)
                case InlineFragmentNode():
                    self._fragment(node, parent)
                case FragmentSpreadNode():
                    fragment = self._fragments[node.name.value]
                    if node.name.value not in self._visited:
                        self._visited.add(node.name.value)
                        self._fragment(fragment, parent)

    def _field(self, node: FieldNode, parent: str) -> None:
        name = node.name.value
        if name.startswith("__"):  # introspection is not restricted
            return
        parent_type = self._schema.get_type(parent)
        assert isinstance(parent_type, (GraphQLObjectType, GraphQLInterfaceType))
        target = get_named_type(parent_type.fields[name].type)
        access, below = self._rules.field(parent, name), node.selection_set
        if below is None or not is_abstract_type(target) or self._reads_fields(below, target.name):
            self._guard(node, Requirement(access & self._rules.type(target.name)))
        else:
            self._guard(node, Requirement(access, self._rules.any_object(target.name)))
        if below is not None:
            self.visit(below, target.name)

    def _fragment(self, node: InlineFragmentNode | FragmentDefinitionNode, parent: str) -> None:
        condition = node.type_condition.name.value if node.type_condition else parent
        graphql_type = self._schema.get_type(condition)
        if isinstance(graphql_type, GraphQLObjectType) or self._reads_fields(
            node.selection_set, condition
        ):
            self._guard(node, Requirement(self._rules.type(condition)))
        self.visit(node.selection_set, condition)

    def _guard(self, node: _Node, rule: Requirement) -> None:
        if rule != Requirement():
            self.places[id(node)] = self.numbers.setdefault(rule, len(self.numbers))

    def _reads_fields(self, selections: SelectionSetNode, declared: str) -> bool:
        """Whether fields of ``declared`` itself are selected, here or in fragments on it."""
        return any(self._reads_field(node, declared) for node in selections.selections)

    def _reads_field(self, node: SelectionNode, declared: str) -> bool:
        if isinstance(node, FieldNode):
            return node.name.value != "__typename"
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else declared
            return condition == declared and self._reads_fields(node.selection_set, declared)
        assert isinstance(node, FragmentSpreadNode)
        key = (node.name.value, declared)
        known = self._reading.get(key)
        if known is None:
            fragment = self._fragments[node.name.value]
            same = fragment.type_condition.name.value == declared
            known = same and self._reads_fields(fragment.selection_set, declared)
            self._reading[key] = known
        return known
