"""The query graph as text: per type, what each subgraph can do with it and how it is entered.

::

    Product
      in catalog
        name, upc
        maker -> Maker
      in shipping
        upc
        estimate requires { price weight }
      key moves
        into catalog by { upc }

Views under a ``@provides`` are not listed as nodes (there is one per providing path); the field
that provides says what it adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import print_ast

from router.query_graph import ViewNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import SelectionSetNode

    from router.query_graph import FieldMove, QueryGraph
    from router.supergraph import SupergraphField, SupergraphType

__all__ = ["computed_from", "field_set_text", "graph_text"]


def graph_text(graph: QueryGraph) -> str:
    """Every node with its moves."""
    blocks = (
        "\n".join(_type_lines(graph, type_))
        for type_ in graph.supergraph.types.values()
        if type_.is_composite
    )
    return "\n\n".join(blocks)


def field_set_text(selections: SelectionSetNode) -> str:
    """A field set on one line: ``{ id organization { id } }``."""
    return " ".join(print_ast(selections).split())


def computed_from(move: FieldMove) -> str:
    """What a computed field needs: its requirement, and arguments that contexts fill."""
    required = [] if move.requires is None else [field_set_text(move.requires)]
    contexts = (
        f"({argument.name}: ${argument.context} {field_set_text(argument.selection)})"
        for argument in move.contexts
    )
    return " ".join([*required, *contexts])


def _type_lines(graph: QueryGraph, type_: SupergraphType) -> Iterator[str]:
    roots = {name: kind for kind, name in graph.supergraph.root_types.items()}
    root = roots.get(type_.name)
    yield type_.name + (f" (root of {root} operations)" if root else "")
    for subgraph, join in type_.joins.items():
        yield f"  in {subgraph}" + (" (interface object)" if join.interface_object else "")
        for line in _node_lines(graph, type_, ViewNode(subgraph, type_.name)):
            yield f"    {line}"
    moves = [move for move in graph.key_moves(type_.name) if move.key is not None]
    if moves:
        yield "  key moves"
    for move in moves:
        assert move.key is not None
        as_ = f" as {move.typename}" if move.typename is not None else ""
        yield f"    into {move.target.subgraph}{as_} by {field_set_text(move.key.selection)}"


def _node_lines(graph: QueryGraph, type_: SupergraphType, node: ViewNode) -> Iterator[str]:
    if type_.is_abstract and not graph.is_interface_object(node):
        # Its fields are those of the runtime types: moves are made on these.
        possible = graph.supergraph.possible_types_in(node.subgraph, type_.name)
        yield f"is {', '.join(sorted(possible)) or 'nothing'}"
        return
    runtime = type_.name
    if type_.is_abstract:
        runtime = min(graph.supergraph.possible_types(type_.name), default=type_.name)
    plain: list[str] = []
    others: list[str] = []
    for field in type_.fields.values():
        if node.subgraph in field.joins:
            text = _field_text(graph, field, node, runtime)
            (plain if text == field.name else others).append(text)
    if plain:
        yield ", ".join(plain)
    yield from others


def _field_text(graph: QueryGraph, field: SupergraphField, node: ViewNode, runtime: str) -> str:
    join = field.joins[node.subgraph]
    move = graph.field_move(node, runtime, field.name)
    if move is None:
        why = "overridden" if join.overridden else "external"
        return f"{field.name} ({why})"
    text = field.name
    if move.target is not None:
        text += f" -> {move.target.type_name}"
    if move.is_computed:
        text += f" requires {computed_from(move)}"
    if join.provides is not None:
        text += f" provides {field_set_text(join.provides)}"
    if join.override_label is not None:
        text += f" overrides {join.override_from} under {join.override_label}"
    return text
