"""How many values a list field has, as far as that can be told before it is asked for.

The slicing arguments say so, the largest of them where several are given; else the assumed size,
else the default. A number below 0 is no size: it must not make an operation cheaper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import IntValueNode, VariableNode, value_from_ast_untyped

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import FieldNode, GraphQLField, ValueNode

    from router.server.limits.cost.terms import Term, Variables
    from router.supergraph.costs import ListSize

__all__ = ["size_term"]


def size_term(
    size: ListSize, node: FieldNode, definition: GraphQLField, *, default: int, where: str
) -> Term:
    """Return the size of a list as ``@listSize`` tells it.

    Evaluation raises ``COST_QUERY_PARSE_FAILURE`` (Apollo's code for it) where exactly one slicing
    argument is required and not given.
    """
    fallback = max(float(default if size.assumed is None else size.assumed), 0.0)
    if not size.slicing_arguments:
        return fallback
    given = {
        argument.name.value: argument.value
        for argument in node.arguments or ()
        if argument.name.value in size.slicing_arguments
    }
    defaults = {
        name: value_from_ast_untyped(default_input.literal)
        for name in size.slicing_arguments
        if (argument := definition.args.get(name)) is not None
        and (default_input := argument.default) is not None
        and default_input.literal is not None
    }

    def evaluate(variables: Variables) -> float:
        values = {name: _read(value, variables) for name, value in given.items()}
        explicit = sum(value is not None for value in values.values())
        # What is given as null is no size; what is not given has its default.
        for name, value in defaults.items():
            if name not in given or _is_unset(given[name], variables):
                values[name] = value
        found = [value for value in values.values() if value is not None]
        if size.require_one and (explicit > 1 or not found):
            raise _not_one(where, size.slicing_arguments)
        sizes = list(_sizes(found))
        return max(sizes) if sizes else fallback

    if any(isinstance(value, VariableNode) for value in given.values()):
        return evaluate
    try:
        return evaluate({})
    except RequestError:
        return evaluate  # refused when it is to run, not where costs are only measured


def _read(value: ValueNode, variables: Variables) -> Any:
    match value:
        case VariableNode():
            return variables.get(value.name.value)
        case IntValueNode():
            return int(value.value)
        case _:
            return None


def _is_unset(value: ValueNode, variables: Variables) -> bool:
    return isinstance(value, VariableNode) and value.name.value not in variables


def _sizes(values: list[Any]) -> Iterator[float]:
    for value in values:
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            yield float(value)


def _not_one(where: str, names: tuple[str, ...]) -> RequestError:
    return RequestError(
        RequestErrorCode.COST_QUERY_PARSE_FAILURE,
        f"{where} needs exactly one of these arguments: {', '.join(names)}",
        well_formed=True,
    )
