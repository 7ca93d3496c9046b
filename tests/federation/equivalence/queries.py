"""Random valid queries over any API schema: aliases, arguments, fragments, conditions, abstract
types; with `@defer`s.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    SelectionSetNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    print_ast,
    visit,
)

__all__ = ["random_query", "with_defers"]

VARIABLES = ("v", "w")


def random_query(schema: GraphQLSchema, seed: int, depth: int = 5) -> str:
    """One query; the same for the same seed."""
    assert schema.query_type is not None
    generator = _Generator(schema, random.Random(seed))
    body = " ".join(generator.selections(schema.query_type.name, depth))
    head = "query Random($v: Boolean = true, $w: Boolean = false)"
    return f"{head} {{ {body} one: __typename @include(if: $v) two: __typename @skip(if: $w) }}"


def with_defers(query: str, seed: int) -> str:
    """The query with some of its selections deferred; the same for the same seed."""
    return print_ast(visit(parse(query), _Defer(random.Random(seed))))


class _Generator:
    def __init__(self, schema: GraphQLSchema, rng: random.Random) -> None:
        self._schema = schema
        self._rng = rng
        self._aliases = 0

    def selections(self, type_name: str, depth: int) -> Iterator[str]:
        type_ = self._schema.type_map[type_name]
        made = 0
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in self._some(list(type_.fields.items())):
                text = self._field(name, field, depth)
                if text:
                    made += 1
                    yield text
        if is_abstract_type(type_) or self._rng.random() < 0.15:
            for text in self._fragments(type_name, depth):
                made += 1
                yield text
        if not made or self._rng.random() < 0.2:
            yield "__typename"

    def _some(self, items: list[tuple[str, GraphQLField]]) -> list[tuple[str, GraphQLField]]:
        count = self._rng.randint(1, max(1, min(len(items), 4)))
        return [self._rng.choice(items) for _ in range(count)]

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        named = get_named_type(field.type)
        if is_composite_type(named) and depth == 0:
            return ""
        arguments = [
            f"{key}: {self._literal(argument.type)}"
            for key, argument in field.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self._rng.random() < 0.5
        ]
        head = name + (f"({', '.join(arguments)})" if arguments else "")
        # Nullability may differ between types that exclude each other: an alias of its own is
        # always valid.
        self._aliases += 1
        head = f"a{self._aliases}: {head}{self._condition()}"
        if is_composite_type(named):
            head += " { " + " ".join(self.selections(named.name, depth - 1)) + " }"
        return head

    def _fragments(self, type_name: str, depth: int) -> Iterator[str]:
        possible = self._schema.type_map[type_name]
        names = [type_name]
        if is_abstract_type(possible):
            names = sorted(t.name for t in self._schema.get_possible_types(possible))
        for name in self._rng.sample(names, self._rng.randint(1, len(names))):
            inner = " ".join(self.selections(name, max(depth - 1, 0)))
            yield f"... on {name}{self._condition()} {{ {inner} }}"

    def _condition(self) -> str:
        if self._rng.random() > 0.15:
            return ""
        return f" @{self._rng.choice(['skip', 'include'])}(if: ${self._rng.choice(VARIABLES)})"

    def _literal(self, type_: GraphQLInputType) -> str:
        match get_named_type(type_):
            case GraphQLEnumType() as enum:
                names: list[str] = sorted(enum.values)
                return self._rng.choice(names)
            case GraphQLScalarType(name="Int"):
                return str(self._rng.randint(0, 3))
            case GraphQLScalarType(name="Boolean"):
                return self._rng.choice(["true", "false"])
            case _:
                return f'"{self._rng.choice(["x", "y"])}"'


class _Defer(Visitor):
    """Puts some of the selections of random selection sets below a deferral."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        if self._rng.random() > 0.4:
            return node
        deferred = [one for one in node.selections if self._rng.random() < 0.5]
        left = [one for one in node.selections if one not in deferred]
        # What is there at once and later has to be the same.
        both = [one for one in left if isinstance(one, FieldNode) and self._rng.random() < 0.2]
        if not deferred:
            return node
        fragment = InlineFragmentNode(
            type_condition=None,
            directives=(DirectiveNode(name=NameNode(value="defer"), arguments=()),),
            selection_set=SelectionSetNode(selections=(*deferred, *both)),
        )
        return SelectionSetNode(selections=(*left, fragment))
