"""Reading ``@cost`` and ``@listSize`` off a supergraph document, by whatever names it links them.

https://specs.apollo.dev/cost/v0.1, after IBM's cost directives
(https://ibm.github.io/graphql-specs/cost-spec.html). What the numbers mean for an operation is the
server's business (``router.server.limits.cost``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
)

from router.federation.links import LinkError, parse_links
from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.joins import SPECS, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import DocumentNode, InputValueDefinitionNode, Node

__all__ = ["Costs", "ListSize", "read_costs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSize:
    """One ``@listSize``.

    Attributes:
        assumed: The size where nothing else tells it.
        slicing_arguments: The arguments of the field that give the size.
        sized_fields: The fields of the returned object that have the size, where the field itself
            is no list (connections).
        require_one: Whether exactly one slicing argument must be given.
    """

    assumed: int | None = None
    slicing_arguments: tuple[str, ...] = ()
    sized_fields: frozenset[str] = frozenset()
    require_one: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """All weights and sizes of a supergraph, by coordinate: ``Type``, ``Type.field``,
    ``Type.field(argument:)``, ``Input.field``, ``@directive(argument:)``.
    """

    weights: dict[str, float] = field(default_factory=dict)
    list_sizes: dict[str, ListSize] = field(default_factory=dict)


def read_costs(document: DocumentNode) -> Costs:
    """Read the costs of a supergraph that links the cost specification; empty for others."""
    try:
        links = parse_links(document)
    except LinkError as error:
        raise SupergraphError(SupergraphErrorCode.INVALID_JOIN, error.message) from error
    link = next((link for link in links if link.identity == f"{SPECS}cost"), None)
    costs = Costs()
    if link is None:
        return costs
    cost = link.local_name("@cost").removeprefix("@")
    list_size = link.local_name("@listSize").removeprefix("@")
    for coordinate, node in _coordinates(document):
        for directive in getattr(node, "directives", None) or ():
            if directive.name.value == cost:
                costs.weights[coordinate] = _weight(arguments_of(directive), coordinate)
            elif directive.name.value == list_size:
                costs.list_sizes[coordinate] = _list_size(arguments_of(directive), coordinate)
    return costs


def _coordinates(document: DocumentNode) -> Iterator[tuple[str, Node]]:
    """Every definition that a cost may stand on."""
    for definition in document.definitions:
        match definition:
            case DirectiveDefinitionNode():
                yield from _arguments(f"@{definition.name.value}", definition.arguments)
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                yield definition.name.value, definition
                for node in definition.fields or ():
                    coordinate = f"{definition.name.value}.{node.name.value}"
                    yield coordinate, node
                    yield from _arguments(coordinate, node.arguments)
            case InputObjectTypeDefinitionNode():
                for member in definition.fields or ():
                    yield f"{definition.name.value}.{member.name.value}", member
            case TypeDefinitionNode():
                yield definition.name.value, definition


def _arguments(
    of: str, arguments: Iterable[InputValueDefinitionNode] | None
) -> Iterator[tuple[str, Node]]:
    for argument in arguments or ():
        yield f"{of}({argument.name.value}:)", argument


def _weight(arguments: dict[str, Any], coordinate: str) -> float:
    try:
        weight = float(arguments["weight"])  # IBM's directive has numbers in strings
    except (KeyError, TypeError, ValueError):
        weight = nan
    if not isfinite(weight):
        raise _invalid(f"The cost of {coordinate} has no weight that is a number.")
    return weight


def _list_size(arguments: dict[str, Any], coordinate: str) -> ListSize:
    assumed = arguments.get("assumedSize")
    slicing = arguments.get("slicingArguments") or ()
    sized = arguments.get("sizedFields") or ()
    required = arguments.get("requireOneSlicingArgument")
    if not (assumed is None or isinstance(assumed, int)) or not all(
        isinstance(names, list | tuple) for names in (slicing, sized)
    ):
        raise _invalid(f"The list size of {coordinate} is invalid.")
    return ListSize(
        assumed=assumed,
        slicing_arguments=tuple(map(str, slicing)),
        sized_fields=frozenset(map(str, sized)),
        require_one=required is not False,
    )


def _invalid(message: str) -> SupergraphError:
    return SupergraphError(SupergraphErrorCode.INVALID_COST, message)
