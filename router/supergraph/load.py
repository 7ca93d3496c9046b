"""Supergraph SDL in, :class:`~router.supergraph.model.Supergraph` out.

Reads the join spec from v0.1 (an owner per entity) to v0.5 (contexts);
https://specs.apollo.dev/join/.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLSyntaxError,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    parse_type,
)

from router.federation.field_sets import FieldSetError, parse_field_set
from router.supergraph.access import AccessDirectives
from router.supergraph.collection import paused_collection
from router.supergraph.costs import read_costs
from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.joins import Directives
from router.supergraph.model import (
    ContextArgument,
    FieldJoin,
    Key,
    Subgraph,
    Supergraph,
    SupergraphField,
    SupergraphType,
    TypeJoin,
    TypeKind,
)
from router.supergraph.schemas import build_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import FieldDefinitionNode, SelectionSetNode, TypeNode

__all__ = ["load_supergraph", "supergraph_digest"]

_KINDS: dict[type[TypeDefinitionNode], TypeKind] = {
    ObjectTypeDefinitionNode: TypeKind.OBJECT,
    InterfaceTypeDefinitionNode: TypeKind.INTERFACE,
    UnionTypeDefinitionNode: TypeKind.UNION,
    EnumTypeDefinitionNode: TypeKind.ENUM,
    InputObjectTypeDefinitionNode: TypeKind.INPUT,
    ScalarTypeDefinitionNode: TypeKind.SCALAR,
}


def load_supergraph(sdl: str) -> Supergraph:
    """Parse a supergraph document.

    Raises:
        SupergraphError: not GraphQL, not a supergraph, or its join directives contradict each
        other.
    """
    with paused_collection():
        return _load(sdl)


def _load(sdl: str) -> Supergraph:
    try:
        document = parse(sdl, no_location=True)
    except GraphQLSyntaxError as error:
        raise SupergraphError(SupergraphErrorCode.INVALID_GRAPHQL, str(error)) from error
    directives = Directives(document)
    schema, api_schema = build_schemas(document, directives)
    subgraphs = {name: Subgraph(name=name, url=url) for name, url in directives.graphs.values()}
    types = _Types(document, directives, tuple(subgraphs)).read()
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    return Supergraph(
        subgraphs=subgraphs,
        types=types,
        schema=schema,
        api_schema=api_schema,
        costs=read_costs(document),
        root_types={kind: type_.name for kind, type_ in roots.items() if type_ is not None},
        digest=supergraph_digest(sdl),
    )


def supergraph_digest(sdl: str) -> str:
    """Return what tells a supergraph document apart from others: its SHA-256, in hexadecimal."""
    return sha256(sdl.encode("utf-8", "surrogatepass")).hexdigest()


def _named(node: TypeNode) -> str:
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    return node.name.value  # type: ignore[attr-defined, no-any-return]


def _list_depth(node: TypeNode) -> int:
    depth = 0
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        depth += isinstance(node, ListTypeNode)
        node = node.type
    return depth


def _type_text(node: TypeNode) -> str:
    """A type as it is written: ``[User!]!``."""
    if isinstance(node, NonNullTypeNode):
        return f"{_type_text(node.type)}!"
    return f"[{_type_text(node.type)}]" if isinstance(node, ListTypeNode) else _named(node)


def _type_name(text: str, where: str) -> str:
    """The named type in a type that a join directive gives as text."""
    try:
        return _named(parse_type(text, no_location=True))
    except GraphQLSyntaxError as error:
        raise SupergraphError(
            SupergraphErrorCode.INVALID_JOIN, f"{where}: {text!r} is not a type: {error.message}."
        ) from error


def _field_set(text: Any, where: str) -> SelectionSetNode | None:
    if text is None:
        return None
    try:
        return parse_field_set(str(text))
    except FieldSetError as error:
        raise SupergraphError(
            SupergraphErrorCode.INVALID_JOIN, f"{where}: the field set {text!r} is wrong: {error}."
        ) from error


class _Types:
    """Turns the document's type definitions into the model, one definition at a time."""

    def __init__(
        self, document: DocumentNode, directives: Directives, subgraphs: tuple[str, ...]
    ) -> None:
        self._directives = directives
        self._access = AccessDirectives(document)
        self._subgraphs = subgraphs
        self._context_values: dict[tuple[str, str, str], tuple[int, SelectionSetNode]] = {}
        self._definitions = [
            definition
            for definition in document.definitions
            if isinstance(definition, TypeDefinitionNode)
            and not directives.is_machinery(definition.name.value)
        ]
        self._implementing = self._find_implementing()

    def read(self) -> dict[str, SupergraphType]:
        return {d.name.value: self._type(d) for d in self._definitions}

    def _type(self, node: TypeDefinitionNode) -> SupergraphType:
        joins = self._type_joins(node)
        fields: dict[str, SupergraphField] = {}
        interfaces: frozenset[str] = frozenset()
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            owner = self._owner(node)
            fields = {f.name.value: self._field(node, f, joins, owner) for f in node.fields or ()}
            interfaces = frozenset(i.name.value for i in node.interfaces or ())
        return SupergraphType(
            name=node.name.value,
            kind=_KINDS[type(node)],
            joins=joins,
            fields=fields,
            interfaces=interfaces,
            possible=self._possible(node, joins),
            contexts=self._directives.contexts(node),
            inaccessible=self._directives.is_inaccessible(node),
            access=self._access.of(node),
        )

    def _owner(self, node: TypeDefinitionNode) -> str | None:
        """Join v0.1: the subgraph that resolves the fields which name none."""
        owners = self._directives.of(node, "owner")
        return str(owners[0]["graph"]) if owners else None

    def _type_joins(self, node: TypeDefinitionNode) -> dict[str, TypeJoin]:
        keys: dict[str, list[Key]] = {}
        interface_objects = set()
        where = node.name.value
        for arguments in self._directives.of(node, "type"):
            subgraph = arguments["graph"]
            found = keys.setdefault(subgraph, [])
            selection = _field_set(arguments.get("key"), where)
            if selection is not None:
                resolvable = arguments.get("resolvable", True)
                found.append(Key(text=arguments["key"], selection=selection, resolvable=resolvable))
            if arguments.get("isInterfaceObject"):
                interface_objects.add(subgraph)
        if not keys:  # join v0.1 names no subgraph on value types: everyone has them
            return {name: TypeJoin() for name in self._subgraphs}
        return {
            subgraph: TypeJoin(keys=tuple(found), interface_object=subgraph in interface_objects)
            for subgraph, found in keys.items()
        }

    def _field(
        self,
        parent: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode,
        node: FieldDefinitionNode,
        joins: dict[str, TypeJoin],
        owner: str | None,
    ) -> SupergraphField:
        explicit = self._directives.of(node, "field")
        if explicit:
            # Without a graph the field is only inherited from an interface object: nobody resolves
            # it here.
            found = {a["graph"]: self._join(parent, node, a) for a in explicit if a.get("graph")}
        else:
            everyone = [owner] if owner else list(joins)
            found = {subgraph: self._join(parent, node, {}) for subgraph in everyone}
        return SupergraphField(
            name=node.name.value,
            type_name=_named(node.type),
            list_depth=_list_depth(node.type),
            joins=found,
            access=self._access.of(node),
        )

    def _join(
        self, parent: TypeDefinitionNode, node: FieldDefinitionNode, arguments: dict[str, Any]
    ) -> FieldJoin:
        where = f"{parent.name.value}.{node.name.value}"
        own = arguments.get("type")
        printed = _type_text(node.type) if own is None else str(own)
        return FieldJoin(
            type_name=_named(node.type) if own is None else _type_name(printed, where),
            nullable_shape=printed,
            external=bool(arguments.get("external")),
            # With a label the old home still resolves the field wherever the label is off.
            overridden=bool(arguments.get("usedOverridden"))
            and arguments.get("overrideLabel") is None,
            requires=_field_set(arguments.get("requires"), where),
            provides=_field_set(arguments.get("provides"), where),
            override_from=arguments.get("override"),
            override_label=arguments.get("overrideLabel"),
            contexts=tuple(
                self._context_argument(where, argument)
                for argument in arguments.get("contextArguments") or ()
            ),
        )

    def _context_argument(self, where: str, given: dict[str, str]) -> ContextArgument:
        missing = {"name", "context", "type", "selection"} - given.keys()
        if missing:
            raise SupergraphError(
                SupergraphErrorCode.INVALID_JOIN,
                f"{where}: a contextual argument has no {', '.join(sorted(missing))}.",
            )
        identity = (given["context"], given["selection"], given["type"])
        if identity not in self._context_values:
            selection = _field_set(given["selection"], where)
            assert selection is not None
            self._context_values[identity] = (len(self._context_values), selection)
        number, selection = self._context_values[identity]
        return ContextArgument(
            name=given["name"],
            context=given["context"],
            type=given["type"],
            selection=selection,
            number=number,
        )

    def _possible(
        self, node: TypeDefinitionNode, joins: dict[str, TypeJoin]
    ) -> dict[str, frozenset[str]]:
        if isinstance(node, UnionTypeDefinitionNode):
            return self._union_members(node, joins)
        if isinstance(node, InterfaceTypeDefinitionNode):
            return self._implementations(node, joins)
        return {}

    def _union_members(
        self, node: UnionTypeDefinitionNode, joins: dict[str, TypeJoin]
    ) -> dict[str, frozenset[str]]:
        explicit = self._directives.of(node, "unionMember")
        if not explicit:  # before join v0.3: every subgraph has all members
            members = frozenset(member.name.value for member in node.types or ())
            return dict.fromkeys(joins, members)
        return {
            subgraph: frozenset(a["member"] for a in explicit if a["graph"] == subgraph)
            for subgraph in joins
        }

    def _implementations(
        self, node: InterfaceTypeDefinitionNode, joins: dict[str, TypeJoin]
    ) -> dict[str, frozenset[str]]:
        found = self._implementing.get(node.name.value, {})
        return {
            subgraph: frozenset(found.get(subgraph, ()))
            for subgraph in dict.fromkeys((*joins, *found))
        }

    def _find_implementing(self) -> dict[str, dict[str, list[str]]]:
        """Interface -> subgraph -> the object types that implement it there."""
        result: dict[str, dict[str, list[str]]] = {}
        for definition in self._definitions:
            if isinstance(definition, ObjectTypeDefinitionNode):
                for interface, subgraph in self._implemented(definition):
                    known = result.setdefault(interface, {}).setdefault(subgraph, [])
                    known.append(definition.name.value)
        return result

    def _implemented(self, node: ObjectTypeDefinitionNode) -> Iterator[tuple[str, str]]:
        """The interfaces of an object type, and in which subgraphs it has them."""
        explicit = self._directives.of(node, "implements")
        if explicit:
            yield from ((a["interface"], a["graph"]) for a in explicit)
        elif node.interfaces:  # join v0.1: everywhere
            for subgraph in self._type_joins(node):
                yield from ((interface.name.value, subgraph) for interface in node.interfaces)
