"""The weights and list sizes of a schema, with the defaults where a directive is silent.

A field weighs what its own ``@cost`` says, else its type's, else 1 if it has fields itself and 0 if
not. Arguments and input fields likewise. What is read from an interface or union counts as its
dearest possible type: otherwise asking the interface would be the cheap way to the same data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_input_object_type,
)

from router.supergraph.costs import ListSize

if TYPE_CHECKING:
    from graphql import GraphQLInputType, GraphQLOutputType, GraphQLSchema

    from router.supergraph.costs import Costs

__all__ = ["CostModel"]


class CostModel:
    """Looks up costs in one API schema. ``default_list_size`` holds for lists of unknown size."""

    def __init__(self, schema: GraphQLSchema, costs: Costs, *, default_list_size: int) -> None:
        self.schema = schema
        self.default_list_size = default_list_size
        self._costs = costs

    def field_weight(self, parent: str, name: str, type_: GraphQLOutputType) -> float:
        """The cost of one value of a field, without what is selected below it."""
        own = self._costs.weights.get(f"{parent}.{name}")
        if own is not None:
            return own
        implementing = [
            weight
            for coordinate in self._implementing(parent, name)
            if (weight := self._costs.weights.get(coordinate)) is not None
        ]
        return max([self._type_weight(type_), *implementing])

    def list_size(self, parent: str, name: str) -> ListSize | None:
        """The field's ``@listSize``; of an interface's field, those of its implementations in one
        that takes whatever is the largest.
        """
        own = self._costs.list_sizes.get(f"{parent}.{name}")
        if own is not None:
            return own
        sizes = [
            size
            for coordinate in self._implementing(parent, name)
            if (size := self._costs.list_sizes.get(coordinate)) is not None
        ]
        if not sizes:
            return None
        return ListSize(
            assumed=max((size.assumed for size in sizes if size.assumed is not None), default=None),
            slicing_arguments=tuple({name for size in sizes for name in size.slicing_arguments}),
            sized_fields=frozenset().union(*(size.sized_fields for size in sizes)),
            require_one=False,
        )

    def input_weight(self, coordinate: str, type_: GraphQLInputType) -> float:
        """The cost of one value of an argument or input field, without its own members."""
        named = get_named_type(type_)
        own = self._costs.weights.get(coordinate, self._costs.weights.get(named.name))
        if own is not None:
            return own
        return 1.0 if is_input_object_type(named) else 0.0

    def own_weight(self, coordinate: str) -> float:
        """What an element's own ``@cost`` says, 0 without one."""
        return self._costs.weights.get(coordinate, 0.0)

    def _type_weight(self, type_: GraphQLOutputType) -> float:
        named = get_named_type(type_)
        weights = self._costs.weights
        default = 1.0 if is_composite_type(named) else 0.0
        if is_abstract_type(named):
            possible = self.schema.get_possible_types(named)
            return max((weights.get(one.name, default) for one in possible), default=default)
        return weights.get(named.name, default)

    def _implementing(self, parent: str, name: str) -> list[str]:
        interface = self.schema.get_type(parent)
        if not isinstance(interface, GraphQLInterfaceType):
            return []
        implementations = self.schema.get_implementations(interface)
        types: list[GraphQLObjectType | GraphQLInterfaceType] = [
            *implementations.objects,
            *implementations.interfaces,
        ]
        return [f"{one.name}.{name}" for one in types]
