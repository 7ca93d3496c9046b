"""``@override(from:)``: which declarations of a field no longer resolve it.

A declaration that is overridden keeps standing in its subgraph's schema but is never asked for,
unless the override carries a ``label``: then the router decides at run time, and both stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.composition.facts import Coordinate
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import DirectiveUse, Field, Subgraph

__all__ = ["Overrides", "resolve_overrides"]

_COLLIDING = (
    FederationDirective.EXTERNAL,
    FederationDirective.PROVIDES,
    FederationDirective.REQUIRES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """The overrides of one field, by subgraph name.

    ``overridden`` declarations resolve nothing; ``migrating`` are those overridden progressively,
    and ``labels`` has the label for both sides of each such override. ``used`` are those of both
    kinds that the subgraph still refers to (in a key, say): the planner has to see them.
    """

    overridden: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    migrating: frozenset[str] = frozenset()
    labels: Mapping[str, str]
    unknown_sources: tuple[str, ...] = ()


def resolve_overrides(
    context: MergeContext, coordinate: Coordinate, sources: Sources[Field]
) -> Overrides:
    """Resolve and check the overrides of one field."""
    by_name = {subgraph.name: (subgraph, field) for subgraph, field in sources}
    overridden: set[str] = set()
    migrating: set[str] = set()
    labels: dict[str, str] = {}
    unknown: list[str] = []
    for subgraph, field in sources:
        use = field.find(FederationDirective.OVERRIDE)
        if use is None:
            continue
        source = use.string("from") or ""
        if not _check_source(context, coordinate, subgraph, field, use):
            if source not in context.graphs:
                unknown.append(subgraph.name)
            continue
        if source not in by_name and _is_abstracted(context, coordinate, source):
            context.findings.error(
                ErrorCode.OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE,
                f'Invalid @override on field "{coordinate}" of subgraph "{subgraph.name}": source'
                f' subgraph "{source}" resolves it for a whole interface (@interfaceObject), and'
                " overriding such a field is not supported.",
                subgraphs=(subgraph.name, source),
                coordinates=(str(coordinate),),
            )
            continue
        if source not in by_name:
            _hint_removable(context, coordinate, subgraph.name, source, "no longer exists")
            continue
        if not _check_overridden(context, coordinate, subgraph, field, by_name[source]):
            continue
        label = use.string("label")
        if label is None:
            overridden.add(source)
            _hint_overridden(context, coordinate, subgraph.name, source)
        else:
            labels[subgraph.name] = labels[source] = label
            migrating.add(source)
            _hint_migration(context, coordinate, subgraph.name, source)
    replaced = overridden | migrating
    used = frozenset(name for name in replaced if coordinate in context.facts[name].used)
    return Overrides(
        overridden=frozenset(overridden),
        used=used,
        migrating=frozenset(migrating),
        labels=labels,
        unknown_sources=tuple(unknown),
    )


def _is_abstracted(context: MergeContext, coordinate: Coordinate, source: str) -> bool:
    """Whether the source resolves the field as one of an interface object."""
    return any(
        subgraph.name == source
        and definition.is_interface_object
        and coordinate.field in definition.fields
        for interface in context.supergraph.types[coordinate.type].interfaces
        for subgraph, definition in context.definitions_of(interface)
    )


def _check_source(
    context: MergeContext,
    coordinate: Coordinate,
    subgraph: Subgraph,
    field: Field,
    use: DirectiveUse,
) -> bool:
    """Whether ``from`` names another subgraph of the composition."""
    source = use.string("from") or ""
    if source == subgraph.name:
        context.findings.error(
            ErrorCode.OVERRIDE_FROM_SELF_ERROR,
            f'Source and destination subgraphs "{source}" are the same for overridden field'
            f' "{coordinate}"',
            subgraphs=(subgraph.name,),
            coordinates=(str(coordinate),),
            line=field.line,
        )
        return False
    if source in context.graphs:
        return True
    close = get_close_matches(source, context.graphs, n=1)
    suggestion = f' Did you mean "{close[0]}"?' if close else ""
    context.findings.hint(
        HintCode.FROM_SUBGRAPH_DOES_NOT_EXIST,
        f'Source subgraph "{source}" for field "{coordinate}" on subgraph "{subgraph.name}" does'
        f" not exist.{suggestion}",
        subgraphs=(subgraph.name,),
        coordinates=(str(coordinate),),
    )
    return False


def _check_overridden(
    context: MergeContext,
    coordinate: Coordinate,
    subgraph: Subgraph,
    field: Field,
    source: tuple[Subgraph, Field],
) -> bool:
    """Whether the overridden declaration is one that can be taken over."""
    from_subgraph, from_field = source
    if from_field.has(FederationDirective.OVERRIDE):
        context.findings.error(
            ErrorCode.OVERRIDE_SOURCE_HAS_OVERRIDE,
            f'Field "{coordinate}" on subgraph "{subgraph.name}" is also marked with directive'
            f' @override in subgraph "{from_subgraph.name}". Only one @override directive is'
            " allowed per field.",
            subgraphs=(subgraph.name, from_subgraph.name),
            coordinates=(str(coordinate),),
        )
        return False
    if context.facts[from_subgraph.name].is_external(*coordinate):
        _hint_removable(
            context, coordinate, subgraph.name, from_subgraph.name, "is not resolved anymore"
        )
        return False
    for owner, declared in ((subgraph, field), (from_subgraph, from_field)):
        for kind in _COLLIDING:
            if declared.has(kind):
                context.findings.error(
                    ErrorCode.OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE,
                    f'@override cannot be used on field "{coordinate}" on subgraph'
                    f' "{subgraph.name}" since "{coordinate}" on "{owner.name}" is marked with'
                    f' directive "@{kind}"',
                    subgraphs=tuple(dict.fromkeys((subgraph.name, owner.name))),
                    coordinates=(str(coordinate),),
                )
                return False
    return True


def _hint_removable(
    context: MergeContext, coordinate: Coordinate, name: str, source: str, why: str
) -> None:
    context.findings.hint(
        HintCode.OVERRIDE_DIRECTIVE_CAN_BE_REMOVED,
        f'Field "{coordinate}" on subgraph "{name}" {why} in the from subgraph "{source}". The'
        " @override directive can be removed.",
        subgraphs=(name, source),
        coordinates=(str(coordinate),),
    )


def _hint_overridden(context: MergeContext, coordinate: Coordinate, name: str, source: str) -> None:
    context.findings.hint(
        HintCode.OVERRIDDEN_FIELD_CAN_BE_REMOVED,
        f'Field "{coordinate}" on subgraph "{source}" is overridden. Consider removing it.',
        subgraphs=(source, name),
        coordinates=(str(coordinate),),
    )


def _hint_migration(context: MergeContext, coordinate: Coordinate, name: str, source: str) -> None:
    context.findings.hint(
        HintCode.OVERRIDE_MIGRATION_IN_PROGRESS,
        f'Field "{coordinate}" is currently being migrated with progressive @override. Once the'
        f' migration is complete, remove the field from subgraph "{source}".',
        subgraphs=(name, source),
        coordinates=(str(coordinate),),
    )
