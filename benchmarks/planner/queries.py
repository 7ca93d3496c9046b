"""Queries of a chosen size over any API schema; the same for the same seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["sized_query"]

_LEAVES = 5  # at most, per object
_BRANCHES = 2  # composite fields followed, per object


def sized_query(schema: GraphQLSchema, seed: int, fields: int) -> str:
    """A query of about as many fields, where the schema has them, as deep as it takes."""
    assert schema.query_type is not None
    return _Writer(schema, random.Random(seed), fields).write(schema.query_type)


class _Writer:
    """Grows the query breadth first, so that it gets wide and deep alike."""

    def __init__(self, schema: GraphQLSchema, rng: random.Random, fields: int) -> None:
        self._schema = schema
        self._rng = rng
        self._left = fields
        self._aliases = 0

    def write(self, root: GraphQLObjectType) -> str:
        top: list[object] = []
        frontier: list[tuple[GraphQLNamedType, list[object]]] = [(root, top)]
        while frontier and self._left > 0:
            type_, into = frontier.pop(0)
            frontier.extend(self._fill(type_, into))
        return _print(top)

    def _fill(
        self, type_: GraphQLNamedType, into: list[object]
    ) -> Iterator[tuple[GraphQLNamedType, list[object]]]:
        if is_abstract_type(type_):
            possible = sorted(self._schema.get_possible_types(type_), key=lambda t: t.name)
            for member in self._rng.sample(possible, min(2, len(possible))):
                below: list[object] = []
                into.extend([f"... on {member.name}", below])
                yield member, below
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in self._chosen(type_):
                self._left -= 1
                self._aliases += 1
                into.append(f"a{self._aliases}: {name}")
                named = get_named_type(field.type)
                if is_composite_type(named):
                    inner: list[object] = []
                    into.append(inner)
                    yield named, inner

    def _chosen(
        self, type_: GraphQLObjectType | GraphQLInterfaceType
    ) -> list[tuple[str, GraphQLField]]:
        usable = [
            (name, field)
            for name, field in type_.fields.items()
            if not any(is_required_argument(argument) for argument in field.args.values())
        ]
        leaves = [item for item in usable if not is_composite_type(get_named_type(item[1].type))]
        branches = [item for item in usable if is_composite_type(get_named_type(item[1].type))]
        return [
            *self._rng.sample(leaves, min(_LEAVES, len(leaves))),
            *self._rng.sample(branches, min(_BRANCHES, len(branches))),
        ]


def _print(selection: list[object]) -> str:
    parts = [_print(part) if isinstance(part, list) else str(part) for part in selection]
    return "{ " + " ".join(parts or ["__typename"]) + " }"
