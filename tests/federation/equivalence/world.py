"""A world of data that needs no data: every value follows from its type, number, field and
arguments.

Object 7 of type ``Product`` is ``{"type": "Product", "n": 7}`` wherever it is seen (its
``__typename`` is what the subgraph at hand calls it: an interface object has the interface's name).
So any number of subgraphs and the merged schema agree about it without sharing anything, and a
value that went the wrong way (another object's, a call with other arguments, an external field
asked of a subgraph that does not own it) is a different value.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    InlineFragmentNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from router.supergraph import FieldJoin, Supergraph

__all__ = ["World"]

NUMBERS = 5


def _hash(*parts: object) -> int:
    return zlib.crc32("|".join(map(str, parts)).encode())


class World:
    """The values of one supergraph."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self._key_fields = self._find_key_fields()

    def _find_key_fields(self) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for type_ in self.supergraph.types.values():
            for join in type_.joins.values():
                for key in join.keys:
                    self._add_keys(type_.name, key.selection, found)
        return found

    def _add_keys(
        self, type_name: str, keys: SelectionSetNode, found: set[tuple[str, str]]
    ) -> None:
        for name in (type_name, *self.supergraph.possible_types(type_name)):
            for node in keys.selections:
                assert isinstance(node, FieldNode)
                found.add((name, node.name.value))
                if node.selection_set:
                    child = self.supergraph.types[name].fields[node.name.value].type_name
                    self._add_keys(child, node.selection_set, found)

    # -- values ----------------------------------------------------------------------------------

    def value(
        self,
        source: Mapping[str, Any],
        field: str,
        arguments: Mapping[str, Any],
        type_: GraphQLOutputType,
        salt: str = "",
    ) -> Any:
        """The value of an object's field; ``salt`` is what a computed field was computed from."""
        type_name, n = source["type"], source["n"]
        call = (type_name, n, field, sorted(arguments.items()), salt)
        return self._of_type(type_, (type_name, field), n, call)

    def _of_type(
        self, type_: GraphQLOutputType, place: tuple[str, str], n: int, call: tuple[object, ...]
    ) -> Any:
        is_key = place in self._key_fields
        if isinstance(type_, GraphQLNonNull):
            return self._of_type(type_.of_type, place, n, (*call, "!"))
        if not is_key and call[-1] != "!" and _hash(*call, "null") % 7 == 0:
            return None
        if isinstance(type_, GraphQLList):
            # The list in a key identifies its holder: it has the holder's number.
            length = 1 if is_key else _hash(*call, "length") % 4
            return [self._of_type(type_.of_type, place, n, (*call, i)) for i in range(length)]
        return self._named(type_, place, n, call)

    def _named(
        self, type_: GraphQLOutputType, place: tuple[str, str], n: int, call: tuple[object, ...]
    ) -> Any:
        is_key = place in self._key_fields
        named = get_named_type(type_)
        if is_composite_type(named):
            number = n if is_key else _hash(*call, "n") % NUMBERS
            runtime = self._runtime_type(place, named.name, call)
            if runtime == self.supergraph.root_types["query"]:
                number = 0  # whoever returns it, there is one query root
            return {"__typename": runtime, "type": runtime, "n": number}
        if isinstance(named, GraphQLEnumType):
            return sorted(named.values)[_hash(*call) % len(named.values)]
        return self._scalar(named.name, place, n, call)

    def _scalar(self, name: str, place: tuple[str, str], n: int, call: tuple[object, ...]) -> Any:
        is_key = place in self._key_fields
        match name:
            case "Int":
                return n if is_key else _hash(*call) % 1000
            case "Float":
                return float(n) if is_key else _hash(*call) % 1000 / 4
            case "Boolean":
                return _hash(*call) % 2 == 0
            case _:
                text = "|".join(map(str, (place[0], n, place[1])))
                return text if is_key else f"{text}|{_hash(*call)}"

    def _runtime_type(self, place: tuple[str, str], declared: str, call: tuple[object, ...]) -> str:
        """A runtime type that every subgraph which resolves the field knows."""
        owner, field = place
        types: frozenset[str] | None = None
        for holder in (owner, *self.supergraph.types[owner].interfaces):
            definition = self.supergraph.types[holder].fields.get(field)
            for subgraph, join in definition.joins.items() if definition else ():
                if (
                    holder != owner
                    and not self.supergraph.types[holder].joins[subgraph].interface_object
                ):
                    continue
                known = self.supergraph.possible_types_in(subgraph, join.type_name)
                types = known if types is None else types & known
        assert types, f"{owner}.{field}: no runtime type of {declared} is known to all"
        visible = sorted(t for t in types if not self.supergraph.types[t].inaccessible)
        return visible[_hash(*call, "type") % len(visible)]

    # -- entities --------------------------------------------------------------------------------

    def entity(self, representation: Mapping[str, Any]) -> dict[str, Any]:
        """The object a representation stands for, which is kept for computed fields."""
        typename = representation["__typename"]
        leaves = list(self._key_leaves(representation, typename))
        leaf = leaves[0]
        n: int = int(leaf.split("|")[1]) if isinstance(leaf, str) else int(leaf)
        if is_abstract_type(self.supergraph.schema.type_map[typename]):
            typename = next(one for one in leaves if isinstance(one, str)).split("|")[0]
        return {"__typename": typename, "type": typename, "n": n, "$representation": representation}

    def _key_leaves(self, value: Any, type_name: str) -> Iterator[Any]:
        """The values of key fields, in any order of fields: each has the object's number."""
        if isinstance(value, Mapping):
            for name, below in value.items():
                if (type_name, name) in self._key_fields and below is not None:
                    field = self.supergraph.types[type_name].fields[name]
                    yield from self._key_leaves(below, field.type_name)
        elif isinstance(value, list):
            for item in value:
                yield from self._key_leaves(item, type_name)
        else:
            yield value

    # -- requirements ----------------------------------------------------------------------------

    def requirement(self, source: Mapping[str, Any], selections: SelectionSetNode) -> Any:
        """What a requirement of an object comes to, in the form of a representation's fields."""
        typename = source["type"]
        result: dict[str, Any] = {}
        for node in selections.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else typename
                if typename in self.supergraph.possible_types(condition):
                    result.update(self.requirement(source, node.selection_set))
                continue
            assert isinstance(node, FieldNode)
            result[node.name.value] = self._required(source, node)
        return result

    def _required(self, source: Mapping[str, Any], node: FieldNode) -> Any:
        holder = self.supergraph.schema.type_map[source["type"]]
        arguments = get_argument_values(holder.fields[node.name.value], node)  # type: ignore[attr-defined]
        value = self.true_value(source, node.name.value, arguments)

        def below(item: Any) -> Any:
            if isinstance(item, list):
                return [below(i) for i in item]
            if item is None or node.selection_set is None:
                return item
            return self.requirement(item, node.selection_set)

        return below(value)

    def true_value(
        self, source: Mapping[str, Any], field: str, arguments: Mapping[str, Any]
    ) -> Any:
        """A field's value in the merged schema; of a computed field, computed from what it truly
        requires and from what the objects above it truly are.
        """
        typename = source["type"]
        type_ = self.supergraph.schema.type_map[typename].fields[field].type  # type: ignore[attr-defined]
        given = {**arguments, **self.contextual(source, field)}
        value = self.value(source, field, given, type_, self.salt(source, field))
        return _below(value, source)

    def contextual(self, source: Mapping[str, Any], field: str) -> dict[str, Any]:
        """The arguments of a field that contexts fill."""
        found: dict[str, Any] = {}
        for join in self._joins(source["type"], field):
            for argument in join.contexts:
                value = self.supergraph.context_values[argument.number]
                above = source["$above"]
                while above["type"] not in value.types:
                    above = above["$above"]
                found[argument.name] = _only(self.requirement(above, value.selection))
        return found

    def salt(self, source: Mapping[str, Any], field: str) -> str:
        """The true requirement of a computed field as text, empty for any other."""
        requires = self.requires_of(source["type"], field)
        return "" if requires is None else canonical(self.requirement(source, requires))

    def requires_of(self, typename: str, field: str) -> SelectionSetNode | None:
        """A field's requirement, wherever it is computed."""
        return next((j.requires for j in self._joins(typename, field) if j.requires), None)

    def _joins(self, typename: str, field: str) -> Iterator[FieldJoin]:
        """How subgraphs have a field, of an object or of an interface object that stands for it."""
        for holder in (typename, *sorted(self.supergraph.types[typename].interfaces)):
            definition = self.supergraph.types[holder].fields.get(field)
            yield from definition.joins.values() if definition else ()


def _below(value: Any, above: Mapping[str, Any]) -> Any:
    """Objects that know the object above them."""
    if isinstance(value, list):
        return [_below(item, above) for item in value]
    return {**value, "$above": above} if isinstance(value, Mapping) else value


def _only(value: Any) -> Any:
    """What a selection of one field in each object leads to."""
    if isinstance(value, list):
        return [_only(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return _only(next(iter(value.values()), None))


def canonical(value: Any) -> str:
    """The same text for the same data, in whatever order; type names are not part of it.

    JSON has one kind of number: whoever passes 8.0 on may write 8.
    """
    if isinstance(value, Mapping):
        inner = (f"{k}:{canonical(v)}" for k, v in sorted(value.items()) if k != "__typename")
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
