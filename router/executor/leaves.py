"""Values of scalars and enums as clients may see them.

Stricter than the specification's CoerceResult: a subgraph has coerced the values before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphql import GraphQLEnumType, GraphQLLeafType

if TYPE_CHECKING:
    from router.executor.context import Json

__all__ = ["INT_MAX", "INT_MIN", "INVALID", "leaf_value"]

INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1


class _Invalid:
    """The type of INVALID."""


INVALID: Final = _Invalid()
"""Stands for a value that its type does not have."""


def leaf_value(leaf: GraphQLLeafType, raw: Json) -> Json:
    """Return the value to show for ``raw`` (not None), or INVALID.

    Values of custom scalars may be anything.
    """
    if isinstance(leaf, GraphQLEnumType):
        return raw if isinstance(raw, str) and raw in leaf.values else INVALID
    match leaf.name:
        case "String":
            return raw if isinstance(raw, str) else INVALID
        case "ID":
            return _id_value(raw)
        case "Boolean":
            return raw if isinstance(raw, bool) else INVALID
        case "Int":
            return _int_value(raw)
        case "Float":
            return raw if isinstance(raw, (int, float)) and not isinstance(raw, bool) else INVALID
    return raw


def _id_value(raw: Json) -> Json:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    return raw if isinstance(raw, str) else INVALID


def _int_value(raw: Json) -> Json:
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        return INVALID
    return raw if INT_MIN <= raw <= INT_MAX else INVALID
