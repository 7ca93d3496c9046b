"""Whether a response is one that the API schema allows for a document; by rules of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLCompositeType,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_interface_type,
)

__all__ = ["Place", "misfit", "nulls"]

Place: TypeAlias = tuple[str | int, ...]


def misfit(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], data: Any
) -> str | None:
    """What is wrong with ``data``: a text with the place, None when nothing is."""
    if data is None:
        return None
    operation = next(
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    )
    checker = _Checker(schema, document, variables)
    assert schema.query_type is not None
    return checker.object(schema.query_type, [operation.selection_set], data, ("data",))


def nulls(value: Any, at: Place = ()) -> Iterator[Place]:
    """The places of all nulls in data."""
    if value is None:
        yield at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from nulls(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nulls(item, (*at, index))


class _Checker:
    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._variables = {"v": True, "w": False, **variables}
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    def object(
        self, type_: Any, selections: list[SelectionSetNode], data: Any, at: Place
    ) -> str | None:
        if not isinstance(data, dict):
            return f"{at}: {data!r} is no object"
        if isinstance(type_, GraphQLObjectType):
            return self._fields(type_, selections, data, at)
        problems = []
        # None: an object whose type nobody told has what all types of its place have
        for possible in (*self._schema.get_possible_types(type_), None):
            problem = self._fields(possible, selections, data, at, declared=type_)
            if problem is None:
                return None
            problems.append(problem)
        return f"{at}: no possible type fits: {problems}"

    def _fields(
        self,
        type_: GraphQLObjectType | None,
        selections: list[SelectionSetNode],
        data: Mapping[str, Any],
        at: Place,
        *,
        declared: Any = None,
    ) -> str | None:
        fields: dict[str, list[FieldNode]] = {}
        for selection_set in selections:
            self._collect(type_ or declared, selection_set, fields)
        if list(fields) != list(data):
            return f"{at}: {list(data)} instead of {list(fields)}"
        for key, nodes in fields.items():
            name = nodes[0].name.value
            if name == "__typename":
                if type_ is None or data[key] != type_.name:
                    return f"{at}: {data[key]!r} is not {type_}"
                continue
            inner = [node.selection_set for node in nodes if node.selection_set is not None]
            problem = self._value(
                (type_ or declared).fields[name].type, inner, data[key], (*at, key)
            )
            if problem is not None:
                return problem
        return None

    def _collect(
        self,
        type_: GraphQLCompositeType,
        selection_set: SelectionSetNode,
        into: dict[str, list[FieldNode]],
    ) -> None:
        for node in selection_set.selections:
            if not self._is_on(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                into.setdefault(key, []).append(node)
                continue
            inner: Any = node
            if not isinstance(node, InlineFragmentNode):
                inner = self._fragments[node.name.value]  # type: ignore[attr-defined]
            condition = inner.type_condition
            if condition is None or self._applies(condition.name.value, type_):
                self._collect(type_, inner.selection_set, into)

    def _applies(self, condition: str, type_: GraphQLCompositeType) -> bool:
        named: Any = self._schema.type_map[condition]
        return condition == type_.name or (
            is_abstract_type(named)
            and (isinstance(type_, GraphQLObjectType) or is_interface_type(type_))
            and self._schema.is_sub_type(named, type_)
        )

    def _is_on(self, node: Any) -> bool:
        for directive in node.directives or ():
            condition = directive.arguments[0].value
            is_true = (
                self._variables[condition.name.value]
                if isinstance(condition, VariableNode)
                else condition.value
            )
            if is_true is (directive.name.value == "skip"):
                return False
        return True

    def _value(
        self, type_: GraphQLOutputType, inner: list[SelectionSetNode], value: Any, at: Place
    ) -> str | None:
        if isinstance(type_, GraphQLNonNull):
            if value is None:
                return f"{at}: null where none may be"
            return self._value(type_.of_type, inner, value, at)
        if value is None:
            return None
        if isinstance(type_, GraphQLList):
            if not isinstance(value, list):
                return f"{at}: {value!r} is no list"
            problems = (
                self._value(type_.of_type, inner, item, (*at, index))
                for index, item in enumerate(value)
            )
            return next((problem for problem in problems if problem is not None), None)
        if is_composite_type(get_named_type(type_)):
            return self.object(type_, inner, value, at)
        return None if _is_leaf_value(type_, value) else f"{at}: {value!r} is no {type_}"


def _is_leaf_value(type_: Any, value: Any) -> bool:
    if isinstance(type_, GraphQLEnumType):
        return isinstance(value, str) and value in type_.values
    match type_.name:
        case "String" | "ID":
            return isinstance(value, str)
        case "Boolean":
            return isinstance(value, bool)
        case "Int":
            return type(value) is int and abs(value) <= 2**31
        case "Float":
            return type(value) in {int, float} and math.isfinite(value)
    return True
