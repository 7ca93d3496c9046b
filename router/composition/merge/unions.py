"""Unions: the supergraph's has every member that some subgraph's has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.context import listed, names_of
from router.composition.model import TypeKind
from router.composition.supergraph_model import MergedUse
from router.federation.hints import HintCode
from router.federation.join import JoinDirective

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext
    from router.composition.supergraph_model import MergedType

__all__ = ["merge_unions"]


def merge_unions(context: MergeContext) -> None:
    """Fill the members of every union."""
    for merged in context.supergraph.types.values():
        if merged.kind is TypeKind.UNION:
            _merge_members(context, merged)


def _merge_members(context: MergeContext, merged: MergedType) -> None:
    sources = context.definitions_of(merged.name)
    merged.members = list(
        dict.fromkeys(member for _, source in sources for member in source.members)
    )
    for member in merged.members:
        having = [subgraph.name for subgraph, source in sources if member in source.members]
        for name in having:
            graph = ("graph", context.graphs[name])
            merged.joins.append(
                MergedUse(JoinDirective.UNION_MEMBER, (graph, ("member", f'"{member}"')))
            )
        lacking = [name for name in names_of(sources) if name not in having]
        if lacking:
            context.findings.hint(
                HintCode.INCONSISTENT_UNION_MEMBER,
                f'Union type "{merged.name}" includes member type "{member}" in some but not all'
                f' defining subgraphs: "{member}" is defined in {listed(having)} but not in'
                f" {listed(lacking)}.",
                subgraphs=names_of(sources),
                coordinates=(merged.name,),
            )
