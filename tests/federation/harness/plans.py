"""Query plans written by hand, in a short notation, for tests of the executor without the planner.

An example::

    query_plan(
        fetch(0, "products", "{ top { __typename upc } }"),
        fetch(
            1,
            "prices",
            call("top[]", {"Product": "upc"}, "{ ... on Product { price } }"),
            after=[0],
        ),
    )

Selections are GraphQL; an alias is the response key, ``@as(key: "x")`` sets the output key (by
default the response key), ``@include(if: $x)`` and ``@skip(if: $x)`` are conditions. Paths:
``media[]|Book,Film.author`` goes through books and films only. A field ``-weight`` of a
representation is no key (``is_key`` is False), ``size{h w}`` is nested, ``weight=__weight`` reads
another output key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    parse,
    print_ast,
)

from router.planner.plan import (
    Condition,
    EntityCall,
    FetchNode,
    FieldSelection,
    FragmentSelection,
    OperationKind,
    Path,
    PathField,
    QueryPlan,
    RepresentationField,
    RepresentationSpec,
    Selection,
    SelectionSet,
)

__all__ = ["call", "fetch", "path", "query_plan", "representation_fields", "selections"]


def selections(text: str) -> SelectionSet:
    """Parse a selection set."""
    (operation,) = parse(text).definitions
    return _selections(operation.selection_set)  # type: ignore[attr-defined]


def _selections(node: SelectionSetNode | None) -> SelectionSet:
    return tuple(_selection(item) for item in node.selections) if node is not None else ()


def _selection(node: SelectionNode) -> Selection:
    conditions = tuple(_conditions(node))
    if isinstance(node, InlineFragmentNode):
        assert node.type_condition is not None
        return FragmentSelection(
            type_condition=node.type_condition.name.value,
            selections=_selections(node.selection_set),
            conditions=conditions,
        )
    assert isinstance(node, FieldNode)
    response_key = node.alias.value if node.alias else node.name.value
    arguments = ", ".join(print_ast(argument) for argument in node.arguments or ())
    return FieldSelection(
        name=node.name.value,
        response_key=response_key,
        output_key=_output_key(node) or response_key,
        arguments=f"({arguments})" if arguments else "",
        variables=frozenset(re.findall(r"\$(\w+)", arguments)),
        conditions=conditions,
        selections=_selections(node.selection_set),
    )


def _output_key(node: FieldNode) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == "as":
            (argument,) = directive.arguments or ()
            assert isinstance(argument.value, StringValueNode)
            return argument.value.value
    return None


def _conditions(node: SelectionNode) -> list[Condition]:
    found: list[Condition] = []
    for directive in node.directives or ():
        if directive.name.value in ("skip", "include"):
            (argument,) = directive.arguments or ()
            assert isinstance(argument.value, VariableNode)
            found.append(Condition(argument.value.name.value, directive.name.value == "include"))
    return found


def path(text: str) -> Path:
    """Parse a path."""
    steps: list[PathField] = []
    for step in text.split("."):
        head, _, types = step.partition("|")
        key = head.rstrip("[]")
        steps.append(
            PathField(
                key=key,
                list_depth=head.count("[]"),
                types=frozenset(types.split(",")) if types else None,
            )
        )
    return tuple(steps)


def representation_fields(text: str) -> tuple[RepresentationField, ...]:
    """Parse the fields of a representation."""
    tokens = re.findall(r"[{}]|[^\s{}]+", text)
    fields, rest = _fields(tokens)
    assert not rest
    return fields


def _fields(tokens: list[str]) -> tuple[tuple[RepresentationField, ...], list[str]]:
    fields: list[RepresentationField] = []
    while tokens and tokens[0] != "}":
        token, *tokens = tokens
        inner: tuple[RepresentationField, ...] = ()
        if tokens and tokens[0] == "{":
            inner, tokens = _fields(tokens[1:])
            tokens = tokens[1:]
        is_key = not token.startswith("-")
        name, _, source_key = token.removeprefix("-").partition("=")
        fields.append(
            RepresentationField(
                name=name, source_key=source_key or name, is_key=is_key, selections=inner
            )
        )
    return tuple(fields), tokens


def call(
    paths: str | Sequence[str],
    keys: Mapping[str, str] | Sequence[RepresentationSpec],
    text: str,
    *,
    response_key: str = "_entities",
    variable: str = "representations",
    conditions: Sequence[Condition] = (),
) -> EntityCall:
    """Make an entity call.

    ``keys`` maps type names to the fields of their representations; ``*`` is any type.
    """
    specs: list[Any] = []
    for item in keys.items() if isinstance(keys, Mapping) else keys:
        if isinstance(item, tuple):
            name, fields = item
            types = None if name == "*" else frozenset({name})
            item = RepresentationSpec(
                types=types,
                typename=None if name == "*" else name,
                fields=representation_fields(fields),
            )
        specs.append(item)
    return EntityCall(
        response_key=response_key,
        variable=variable,
        paths=tuple(path(one) for one in ([paths] if isinstance(paths, str) else paths)),
        representations=tuple(specs),
        selections=selections(text),
        conditions=tuple(conditions),
    )


def fetch(
    id_: int,
    subgraph: str,
    *what: str | EntityCall,
    after: Sequence[int] = (),
    kind: OperationKind = OperationKind.QUERY,
    variables: Mapping[str, str] | None = None,
    conditions: Sequence[Condition] = (),
) -> FetchNode:
    """Make a fetch of root fields (text) or entity calls.

    ``variables`` are the client's, with their types.
    """
    calls = tuple(item for item in what if isinstance(item, EntityCall))
    texts = [item for item in what if isinstance(item, str)]
    declared = [f"${name}: {kind_of}" for name, kind_of in (variables or {}).items()]
    declared += [f"${one.variable}: [_Any!]!" for one in calls]
    body = [_clean(text).strip()[1:-1] for text in texts]
    body += [
        f"{one.response_key}: _entities(representations: ${one.variable}) "
        f"{_printed(one.selections)}"
        for one in calls
    ]
    head = f"{kind}({', '.join(declared)})" if declared else str(kind)
    return FetchNode(
        id=id_,
        subgraph=subgraph,
        kind=kind,
        operation=f"{head} {{ {' '.join(body)} }}",
        operation_name=None,
        variables=tuple(variables or ()),
        depends_on=tuple(after),
        selections=selections(texts[0]) if texts else (),
        entity_calls=calls,
        conditions=tuple(conditions),
    )


def _clean(text: str) -> str:
    return re.sub(r'@as\(key: "\w+"\)', "", text)


def _printed(items: SelectionSet) -> str:
    """Print selections as the operation that a subgraph gets."""
    if not items:
        return ""
    parts: list[str] = []
    for item in items:
        conditions = "".join(
            f" @{'include' if one.wanted else 'skip'}(if: ${one.variable})"
            for one in item.conditions
        )
        if isinstance(item, FieldSelection):
            alias = "" if item.name == item.response_key else f"{item.response_key}: "
            parts.append(
                f"{alias}{item.name}{item.arguments}{conditions} {_printed(item.selections)}"
            )
        else:
            parts.append(f"... on {item.type_condition}{conditions} {_printed(item.selections)}")
    return "{ " + " ".join(parts) + " }"


def query_plan(*fetches: FetchNode, kind: OperationKind = OperationKind.QUERY) -> QueryPlan:
    """Make a plan."""
    return QueryPlan(kind=kind, fetches=fetches)
