"""The cost of arguments.

A scalar costs its weight, an input object its weight and its members, a list its weight and its
items, each of which weighs as much again. Null, and what is not given, costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLInputObjectType,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    VariableNode,
    get_named_type,
)

from router.server.limits.cost.terms import total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLInputType, ValueNode

    from router.server.limits.cost.model import CostModel
    from router.server.limits.cost.terms import Term

__all__ = ["input_term"]


def input_term(
    model: CostModel, coordinate: str, type_: GraphQLInputType, value: ValueNode
) -> Term:
    """Return the cost of a literal, which may be or contain variables."""
    named = get_named_type(type_)
    weight = model.input_weight(coordinate, type_)
    match value:
        case NullValueNode():
            return 0.0
        case VariableNode():
            if not weight and not isinstance(named, GraphQLInputObjectType):
                return 0.0  # whatever it is
            name = value.name.value
            return lambda variables: _json_cost(model, coordinate, type_, variables.get(name))
        case ListValueNode():
            # A list without a cost of its own is free, also one of input objects.
            return total(
                [
                    _list_weight(model, coordinate, type_),
                    *(input_term(model, coordinate, type_, item) for item in value.values),
                ]
            )
        case ObjectValueNode() if isinstance(named, GraphQLInputObjectType):
            return total(
                [
                    weight,
                    *(
                        input_term(
                            model, f"{named.name}.{member.name.value}", field.type, member.value
                        )
                        for member in value.fields
                        if (field := named.fields.get(member.name.value)) is not None
                    ),
                ]
            )
        case _:
            return weight


def _json_cost(model: CostModel, coordinate: str, type_: GraphQLInputType, value: Any) -> float:
    """The same for the value of a variable."""
    if value is None:
        return 0.0
    if isinstance(value, list):
        items = sum([_json_cost(model, coordinate, type_, item) for item in value])
        return _list_weight(model, coordinate, type_) + items
    weight = model.input_weight(coordinate, type_)
    named = get_named_type(type_)
    if isinstance(value, dict) and isinstance(named, GraphQLInputObjectType):
        return weight + sum(_member_costs(model, named, value))
    return weight


def _member_costs(
    model: CostModel, type_: GraphQLInputObjectType, value: dict[str, Any]
) -> Iterator[float]:
    for name, member in value.items():
        field = type_.fields.get(name)
        if field is not None:
            yield _json_cost(model, f"{type_.name}.{name}", field.type, member)


def _list_weight(model: CostModel, coordinate: str, type_: GraphQLInputType) -> float:
    if isinstance(get_named_type(type_), GraphQLInputObjectType):
        return model.own_weight(coordinate)
    return model.input_weight(coordinate, type_)
