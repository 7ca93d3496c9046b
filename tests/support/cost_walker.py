"""The estimated cost of an operation, by walking it naively for one set of variables.

What the compiled function is compared with: no compilation, no constants, no shared code.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_interface_type,
    is_list_type,
    value_from_ast_untyped,
)

from router.supergraph import Supergraph
from router.supergraph.costs import ListSize

__all__ = ["walk_cost"]


class _RefusedError(Exception):
    """A size cannot be told."""


def walk_cost(
    supergraph: Supergraph,
    operation: OperationDefinitionNode,
    variables: dict[str, Any],
    *,
    default_list_size: int,
) -> float | None:
    """Return the cost of a query without named fragments; None where a size cannot be told."""
    walker = _Walker(supergraph, variables, default_list_size)
    try:
        return walker.selections("Query", [operation.selection_set], None, frozenset())
    except _RefusedError:
        return None


class _Walker:
    def __init__(self, supergraph: Supergraph, variables: dict[str, Any], default: int) -> None:
        self.schema = supergraph.api_schema
        self.weights = supergraph.costs.weights
        self.sizes = supergraph.costs.list_sizes
        self.variables = variables
        self.default = default

    def selections(
        self, parent: str, sets: list[Any], size: float | None, sized: frozenset[str]
    ) -> float:
        fields: dict[tuple[str, str], list[FieldNode]] = {}

        def collect(on: str, selection_set: Any) -> None:
            for node in selection_set.selections:
                if not self.stands(node):
                    continue
                if isinstance(node, InlineFragmentNode):
                    assert node.type_condition is not None
                    collect(node.type_condition.name.value, node.selection_set)
                else:
                    key = node.alias.value if node.alias else node.name.value
                    fields.setdefault((on, key), []).append(node)

        for selection_set in sets:
            collect(parent, selection_set)
        return sum(
            self.field(on, nodes, size if nodes[0].name.value in sized else None)
            for (on, _), nodes in fields.items()
        )

    def stands(self, node: Any) -> bool:
        for directive in node.directives or ():
            value = value_from_ast_untyped(directive.arguments[0].value, self.variables)
            if value is not (directive.name.value == "include"):
                return False
        return True

    def field(self, parent: str, nodes: list[FieldNode], from_above: float | None) -> float:
        name = nodes[0].name.value
        if name.startswith("__"):
            return 0
        definition = self.schema.get_type(parent).fields[name]  # type: ignore[union-attr]
        arguments = {
            argument.name.value: value_from_ast_untyped(argument.value, self.variables)
            for argument in nodes[0].arguments or ()
        }
        given = {name: value for name, value in arguments.items() if value is not Undefined}
        size = self.sizes.get(f"{parent}.{name}")
        count = float(self.default)
        sets = [node.selection_set for node in nodes if node.selection_set]
        named = get_named_type(definition.type)

        def own_size() -> float:
            assert size is not None
            return self.size(size, definition, given)

        listed = is_list_type(get_nullable_type(definition.type))
        below_size = None
        if size is not None:
            if listed and from_above is None:
                count = own_size()
            elif not listed and self.selects(sets, size.sized_fields):
                below_size = own_size()
        if from_above is not None:
            count = from_above
        sized = size.sized_fields if size is not None else frozenset()
        each = self.weight(parent, name, named)
        each += self.selections(named.name, sets, below_size, sized)
        cost = each * (count if listed else 1)
        for argument, value in given.items():
            coordinate = f"{parent}.{name}({argument}:)"
            cost += self.input(coordinate, definition.args[argument].type, value)
        return max(cost, 0.0)

    def selects(self, sets: list[Any], names: frozenset[str]) -> bool:
        return any(
            self.stands(node)
            and (
                self.selects([node.selection_set], names)
                if isinstance(node, InlineFragmentNode)
                else node.name.value in names
            )
            for selection_set in sets
            for node in selection_set.selections
        )

    def size(self, size: ListSize, definition: Any, given: dict[str, Any]) -> float:
        slicing = {name: given.get(name, Undefined) for name in size.slicing_arguments}
        explicit = [v for v in slicing.values() if v is not Undefined and v is not None]
        for name, value in slicing.items():
            default = definition.args[name].default
            if value is Undefined and default is not None:
                slicing[name] = int(default.literal.value)
        usable = [v for v in slicing.values() if v is not Undefined and v is not None]
        one = len(explicit) == 1 or (not explicit and bool(usable))
        if size.slicing_arguments and size.require_one and not one:
            raise _RefusedError
        sizes = [value for value in usable if value >= 0]
        if sizes:
            return float(max(sizes))
        return float(self.default if size.assumed is None else size.assumed)

    def weight(self, parent: str, name: str, named: Any) -> float:
        if f"{parent}.{name}" in self.weights:
            return self.weights[f"{parent}.{name}"]
        default = 1.0 if is_composite_type(named) else 0.0
        types = [named, *(self.schema.get_possible_types(named) if is_abstract_type(named) else ())]
        found = [self.weights.get(one.name, default) for one in types]
        if is_interface_type(self.schema.get_type(parent)):
            interface: Any = self.schema.get_type(parent)
            for one in self.schema.get_possible_types(interface):
                found.append(self.weights.get(f"{one.name}.{name}", 0.0))
        return max(found)

    def input(self, coordinate: str, type_: Any, value: Any) -> float:
        if value is None or value is Undefined:
            return 0.0
        named = get_named_type(type_)
        is_object = isinstance(named, GraphQLInputObjectType)
        own = self.weights.get(coordinate, self.weights.get(named.name))
        if isinstance(value, list):
            return (own or 0.0) + sum(self.input(coordinate, type_, item) for item in value)
        weight = own if own is not None else float(is_object)
        if is_object:
            weight += sum(
                self.input(f"{named.name}.{name}", named.fields[name].type, member)
                for name, member in value.items()
                if member is not Undefined
            )
        return weight
