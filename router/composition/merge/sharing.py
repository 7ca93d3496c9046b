"""A field that several subgraphs resolve must be ``@shareable`` in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from router.composition.facts import Coordinate
from router.composition.merge.context import listed
from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.composition.merge.context import MergeContext, Sources
    from router.composition.merge.override import Overrides
    from router.composition.model import Field

__all__ = ["check_sharing"]


def check_sharing(
    context: MergeContext, coordinate: Coordinate, sources: Sources[Field], overrides: Overrides
) -> None:
    """Report a field that subgraphs share without all of them saying so.

    Overridden declarations resolve nothing; that of a progressive override resolves only what its
    replacement does not, so it shares with nobody.
    """
    resolving = [
        _Resolver(subgraph.name, coordinate)
        for subgraph, _ in sources
        if subgraph.name not in overrides.overridden
        and subgraph.name not in overrides.migrating
        and context.facts[subgraph.name].resolves(*coordinate)
    ]
    resolving += _through_interface_objects(context, coordinate)
    if len(resolving) < 2:  # nobody to share with
        return
    if coordinate.type == "Subscription":
        # Which of two event streams would it be?
        _report(context, coordinate, resolving, "fields of the subscription root cannot be shared")
        return
    closed = [
        item for item in resolving if item.field not in context.facts[item.subgraph].shareable
    ]
    if not closed:
        return
    which = "all of them" if len(closed) == len(resolving) else _listed(closed)
    why = f"it is defined as non-shareable in {which}"
    if overrides.unknown_sources:
        why += (
            f' (please note that "{coordinate}" has an @override directive in'
            f" {listed(overrides.unknown_sources)} that targets an unknown subgraph so this could"
            " be due to misspelling the @override(from:) argument)"
        )
    _report(context, coordinate, resolving, why)


class _Resolver(NamedTuple):
    """A subgraph that resolves a field: as the field itself, or as one of an interface object."""

    subgraph: str
    field: Coordinate


def _through_interface_objects(
    context: MergeContext, coordinate: Coordinate
) -> Iterator[_Resolver]:
    """The subgraphs that resolve a type's field for the whole interface."""
    for interface in context.supergraph.types[coordinate.type].interfaces:
        field = Coordinate(interface, coordinate.field)
        for subgraph, definition in context.definitions_of(interface):
            if not definition.is_interface_object or field.field not in definition.fields:
                continue
            if context.facts[subgraph.name].resolves(*field):
                yield _Resolver(subgraph.name, field)


def _report(
    context: MergeContext, coordinate: Coordinate, resolving: list[_Resolver], why: str
) -> None:
    context.findings.error(
        ErrorCode.INVALID_FIELD_SHARING,
        f'Non-shareable field "{coordinate}" is resolved from multiple subgraphs'
        f" ({_listed(resolving)}): {why}",
        subgraphs=tuple(dict.fromkeys(item.subgraph for item in resolving)),
        coordinates=(str(coordinate),),
    )


def _listed(resolving: list[_Resolver]) -> str:
    return listed(item.subgraph for item in resolving)
