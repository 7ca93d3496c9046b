"""Subgraphs over a :class:`World`, and the merged schema over the same one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    GraphQLResolveInfo,
    SelectionSetNode,
    execute_sync,
)
from typing_extensions import override

from router.query_graph import QueryGraph, ViewNode
from router.supergraph import Supergraph
from tests.federation.equivalence.world import World, canonical
from tests.federation.harness import DataSubgraph, compose_subgraphs

__all__ = ["WorldSubgraph", "execute_merged", "serve_world"]

Served: TypeAlias = "tuple[World, list[WorldSubgraph]]"

NOT_MINE = "asked of a subgraph that does not resolve it"


class WorldSubgraph(DataSubgraph):
    """Answers from the world what it resolves, and something wrong for what it does not."""

    def __init__(self, name: str, sdl: str) -> None:
        super().__init__(name, sdl)
        self._world: World | None = None

    def serve(self, world: World) -> None:
        """Answer from this world."""
        self._world = world
        self._graph = QueryGraph(world.supergraph)

    @override
    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        world = self._world
        assert world is not None
        if info.field_name == "_entities":
            return [self._known(world.entity(item)) for item in arguments["representations"]]
        if not isinstance(source, Mapping) or "n" not in source:
            source = {"type": world.supergraph.root_types[info.operation.operation.value], "n": 0}
        node = source.get("$view") or ViewNode(self.name, source["type"])
        move = self._graph.field_move(node, source["type"], info.field_name)
        if move is None:
            return self._external(source, info)
        salt = ""
        if move.requires is not None:
            salt = canonical(_selected(source["$representation"], move.requires, world))
        value = world.value(source, info.field_name, arguments, info.return_type, salt)
        return self._seen(value, move.target)

    def _known(self, entity: dict[str, Any]) -> Any:
        """An entity as this subgraph sees it, entered by key: nothing is provided."""
        name = entity["$representation"]["__typename"]
        return self._seen(entity, ViewNode(self.name, name))

    def _seen(self, value: Any, view: ViewNode | None) -> Any:
        """Objects with the view under which they are seen: it decides what is provided, and their
        name.
        """
        if isinstance(value, list):
            return [self._seen(item, view) for item in value]
        if not isinstance(value, dict) or view is None:
            return value
        local = view.type_name if self._graph.is_interface_object(view) else value["type"]
        return {**value, "$view": view, "__typename": local}

    def _external(self, source: Mapping[str, Any], info: GraphQLResolveInfo[Any]) -> Any:
        representation = source.get("$representation", {})
        if info.field_name in representation:
            return representation[info.field_name]
        raise LookupError(f"{info.parent_type.name}.{info.field_name}: {NOT_MINE}")


def serve_world(sdls: Mapping[str, str], supergraph: Supergraph | None = None) -> Served:
    """A world for subgraphs (name -> SDL), and the subgraphs that answer from it; ``supergraph``
    is composed of them unless given.
    """
    subgraphs = [WorldSubgraph(name, sdl) for name, sdl in sdls.items()]
    world = World(supergraph or compose_subgraphs(subgraphs))
    for subgraph in subgraphs:
        subgraph.serve(world)
    return world, subgraphs


def _selected(data: Any, selections: SelectionSetNode, world: World) -> Any:
    """The part of a representation that a requirement names."""
    if isinstance(data, list):
        return [_selected(item, selections, world) for item in data]
    if not isinstance(data, Mapping):
        return data
    result: dict[str, Any] = {}
    for node in selections.selections:
        if node.kind == "inline_fragment":
            condition = node.type_condition.name.value  # type: ignore[attr-defined]
            if data.get("__typename") in world.supergraph.possible_types(condition):
                result.update(_selected(data, node.selection_set, world))  # type: ignore[attr-defined]
            continue
        name = node.name.value  # type: ignore[attr-defined]
        below = node.selection_set  # type: ignore[attr-defined]
        value = data[name]
        result[name] = value if below is None else _selected(value, below, world)
    return result


def execute_merged(
    world: World, document: DocumentNode, variables: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The right answer: one schema, one executor, the same world."""

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if not isinstance(source, Mapping) or "n" not in source:
            source = {"type": info.parent_type.name, "n": 0}
        return world.true_value(source, info.field_name, arguments)

    result = execute_sync(
        world.supergraph.api_schema,
        document,
        variable_values=dict(variables),
        field_resolver=resolve,
        type_resolver=lambda value, _info, _type: value["__typename"],
    )
    assert not result.errors, result.errors
    return result.data
