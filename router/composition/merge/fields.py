"""Fields of object and interface types: those of all subgraphs, each with its ``join__field``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from router.composition.facts import Coordinate, field_set_text
from router.composition.merge.arguments import merge_arguments
from router.composition.merge.context import merge_description, names_of
from router.composition.merge.contextual import context_arguments
from router.composition.merge.directives import merge_uses
from router.composition.merge.externals import check_externals
from router.composition.merge.join_directives import join_directives
from router.composition.merge.override import resolve_overrides
from router.composition.merge.sharing import check_sharing
from router.composition.merge.type_refs import merge_output_type
from router.composition.model import TypeKind, quoted
from router.composition.supergraph_model import MergedField, MergedUse
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext, Sources
    from router.composition.merge.override import Overrides
    from router.composition.model import Field, Subgraph, TypeDefinition
    from router.composition.supergraph_model import MergedType

__all__ = ["merge_fields"]

_Arguments: TypeAlias = "list[tuple[str, str]]"


def merge_fields(context: MergeContext) -> None:
    """Fill the fields of every object and interface type."""
    for merged in context.supergraph.types.values():
        if merged.kind not in {TypeKind.OBJECT, TypeKind.INTERFACE}:
            continue
        definitions = context.definitions_of(merged.name)
        for name in dict.fromkeys(name for _, source in definitions for name in source.fields):
            field = _merge_field(context, merged, definitions, name)
            if field is not None:
                merged.fields[name] = field


def _merge_field(
    context: MergeContext, parent: MergedType, definitions: Sources[TypeDefinition], name: str
) -> MergedField | None:
    sources = [
        (subgraph, definition.fields[name])
        for subgraph, definition in definitions
        if name in definition.fields
    ]
    coordinate = Coordinate(parent.name, name)
    real = [
        (subgraph, field)
        for subgraph, field in sources
        if not context.facts[subgraph.name].is_external(*coordinate)
    ]
    if not real:
        _report_missing_base(context, coordinate, sources)
        return None
    overrides = resolve_overrides(context, coordinate, sources)
    if parent.kind is TypeKind.OBJECT:
        check_sharing(context, coordinate, sources, overrides)
    merged_type = merge_output_type(
        context, str(coordinate), [(subgraph, field.type) for subgraph, field in real]
    )
    if merged_type is None:
        return None
    merged = MergedField(
        name=name,
        description=merge_description(context, str(coordinate), real),
        type=merged_type,
        arguments=merge_arguments(
            context, str(coordinate), [(subgraph, field.arguments) for subgraph, field in real]
        ),
        uses=merge_uses(context, str(coordinate), real),
    )
    check_externals(context, coordinate, merged, sources)
    merged.joins = _joins(context, coordinate, definitions, sources, overrides)
    merged.joins += join_directives(context, sources)
    _hint_partial_value_type(context, parent, coordinate, definitions)
    return merged


def _report_missing_base(
    context: MergeContext, coordinate: Coordinate, sources: Sources[Field]
) -> None:
    names = ", ".join(f'"{name}"' for name in names_of(sources))
    context.findings.error(
        ErrorCode.EXTERNAL_MISSING_ON_BASE,
        f'Field "{coordinate}" is marked @external on all the subgraphs in which it is listed'
        f" ({names}).",
        subgraphs=names_of(sources),
        coordinates=(str(coordinate),),
        line=sources[0][1].line if len(sources) == 1 else None,
    )


def _joins(
    context: MergeContext,
    coordinate: Coordinate,
    definitions: Sources[TypeDefinition],
    sources: Sources[Field],
    overrides: Overrides,
) -> list[MergedUse]:
    """One ``join__field`` per declaration; none at all when they would say nothing.

    A field that every subgraph of the type resolves, with one type and no further ado, is the
    default meaning of a field without ``join__field``.
    """
    one_type = len({str(field.type) for _, field in sources}) == 1
    joins: list[MergedUse] = []
    telling = len(sources) < len(definitions)
    for subgraph, field in sources:
        if subgraph.name in overrides.overridden and subgraph.name not in overrides.used:
            telling = True
            continue
        arguments = _join_arguments(context, coordinate, subgraph, field, overrides)
        if not one_type:
            arguments.append(("type", quoted(str(field.type))))
        # What is taken over is left out or labelled, which tells; the override as such does not.
        telling = telling or any(name != "override" for name, _ in arguments)
        graph = ("graph", context.graphs[subgraph.name])
        joins.append(MergedUse(JoinDirective.FIELD, (graph, *arguments)))
    return joins if telling else []


def _join_arguments(
    context: MergeContext,
    coordinate: Coordinate,
    subgraph: Subgraph,
    field: Field,
    overrides: Overrides,
) -> _Arguments:
    arguments: _Arguments = []
    for name, kind in (
        ("requires", FederationDirective.REQUIRES),
        ("provides", FederationDirective.PROVIDES),
    ):
        use = field.find(kind)
        text = field_set_text(use) if use else None
        if text is not None:
            arguments.append((name, quoted(text)))
    if context.facts[subgraph.name].is_external(*coordinate):
        arguments.append(("external", "true"))
    override = field.find(FederationDirective.OVERRIDE)
    if override is not None:
        arguments.append(("override", quoted(override.string("from") or "")))
    if subgraph.name in overrides.used:
        arguments.append(("usedOverridden", "true"))
    if subgraph.name in overrides.labels:
        arguments.append(("overrideLabel", quoted(overrides.labels[subgraph.name])))
    if contextual := context_arguments(subgraph, field):
        arguments.append(("contextArguments", contextual))
    return arguments


def _hint_partial_value_type(
    context: MergeContext,
    parent: MergedType,
    coordinate: Coordinate,
    definitions: Sources[TypeDefinition],
) -> None:
    """A field of a type without keys that some subgraphs lack: legal, and often a mistake."""
    entity = any(coordinate.type in context.facts[item.name].keys for item, _ in definitions)
    root = coordinate.type in {"Query", "Mutation", "Subscription"}
    if entity or root:
        return
    lacking = [
        subgraph.name
        for subgraph, definition in definitions
        if coordinate.field not in definition.fields
        # A type of external fields only is a mere reference; nobody misses a field on it.
        and any(
            not context.facts[subgraph.name].is_external(coordinate.type, name)
            for name in definition.fields
        )
    ]
    if not lacking:
        return
    interface = parent.kind is TypeKind.INTERFACE
    kind = "interface" if interface else "non-entity object"
    context.findings.hint(
        HintCode.INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD
        if interface
        else HintCode.INCONSISTENT_OBJECT_VALUE_TYPE_FIELD,
        f'Field "{coordinate}" of {kind} type "{coordinate.type}" is defined in some but not all'
        f' subgraphs that define "{coordinate.type}": "{coordinate}" is not defined in'
        f" {', '.join(lacking)}.",
        subgraphs=names_of(definitions),
        coordinates=(str(coordinate),),
    )
