"""Which types the supergraph has: kinds, interfaces, and ``join__type`` per subgraph and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.context import listed, merge_description, names_of
from router.composition.merge.directives import merge_uses
from router.composition.merge.join_directives import join_directives
from router.composition.model import TypeKind, quoted
from router.composition.supergraph_model import MergedType, MergedUse
from router.federation.codes import ErrorCode
from router.federation.hints import HintCode
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import Subgraph, TypeDefinition

__all__ = ["merge_types"]


def merge_types(context: MergeContext) -> None:
    """Add every type of every subgraph to the supergraph, without its members."""
    names = dict.fromkeys(name for subgraph in context.subgraphs for name in subgraph.types)
    for name in names:
        sources = context.definitions_of(name)
        kind = _merged_kind(context, name, sources)
        if kind is None:
            continue
        merged = MergedType(
            name=name,
            kind=kind,
            description=merge_description(context, name, sources),
            interfaces=list(
                dict.fromkeys(item for _, source in sources for item in source.interfaces)
            ),
            uses=merge_uses(context, name, sources),
        )
        for subgraph, definition in sources:
            merged.joins.extend(_implements(context, subgraph, definition))
        for subgraph, definition in sources:
            merged.joins.extend(_joins(context, subgraph, definition))
        merged.joins.extend(join_directives(context, sources))
        if kind is TypeKind.OBJECT:
            _hint_inconsistent_entity(context, name, sources)
        context.supergraph.types[name] = merged


def _merged_kind(
    context: MergeContext, name: str, sources: Sources[TypeDefinition]
) -> TypeKind | None:
    """The kind that all subgraphs agree on; an interface object counts as an interface."""
    kinds: dict[TypeKind, list[str]] = {}
    for subgraph, definition in sources:
        kind = TypeKind.INTERFACE if definition.is_interface_object else definition.kind
        kinds.setdefault(kind, []).append(subgraph.name)
    if len(kinds) > 1:
        found = " but ".join(f"{kind} in {listed(names)}" for kind, names in kinds.items())
        context.findings.error(
            ErrorCode.TYPE_KIND_MISMATCH,
            f'Type "{name}" has mismatched kind: it is defined as {found}.',
            subgraphs=names_of(sources),
            coordinates=(name,),
        )
        return None
    if all(definition.is_interface_object for _, definition in sources):
        context.findings.error(
            ErrorCode.INTERFACE_OBJECT_USAGE_ERROR,
            f'Type "{name}" is declared with @interfaceObject in all the subgraphs in which it is'
            f" defined (it is defined in {listed(names_of(sources))} but should be defined as an"
            " interface in at least one subgraph).",
            subgraphs=names_of(sources),
            coordinates=(name,),
        )
        return None
    return next(iter(kinds))


def _implements(
    context: MergeContext, subgraph: Subgraph, definition: TypeDefinition
) -> Iterator[MergedUse]:
    for interface in definition.interfaces:
        yield MergedUse(
            JoinDirective.IMPLEMENTS,
            (("graph", context.graphs[subgraph.name]), ("interface", quoted(interface))),
        )


def _joins(
    context: MergeContext, subgraph: Subgraph, definition: TypeDefinition
) -> Iterator[MergedUse]:
    graph = ("graph", context.graphs[subgraph.name])
    stands_for = [("isInterfaceObject", "true")] if definition.is_interface_object else []
    keys = context.facts[subgraph.name].keys.get(definition.name, ())
    if not keys:
        yield MergedUse(JoinDirective.TYPE, (graph, *stands_for))
    for key in keys:
        arguments = [graph, ("key", quoted(key.fields))]
        if definition.is_extension:
            arguments.append(("extension", "true"))
        if not key.resolvable:
            arguments.append(("resolvable", "false"))
        yield MergedUse(JoinDirective.TYPE, (*arguments, *stands_for))


def _hint_inconsistent_entity(
    context: MergeContext, name: str, sources: Sources[TypeDefinition]
) -> None:
    with_key = [item.name for item, _ in sources if name in context.facts[item.name].keys]
    if not with_key or len(with_key) == len(sources):
        return
    without = [name for name in names_of(sources) if name not in with_key]
    context.findings.hint(
        HintCode.INCONSISTENT_ENTITY,
        f'Type "{name}" is declared as an entity (has a @key applied) in some but not all defining'
        f" subgraphs: it has no @key in {listed(without)} but has some @key in {listed(with_key)}.",
        subgraphs=names_of(sources),
        coordinates=(name,),
    )
