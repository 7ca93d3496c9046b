"""Directive applications on one element, merged over the subgraphs that declare it.

Merged are Federation's directives that mean something to the router or its clients, the two
built-in ones, and those named by ``@composeDirective``. A repeatable directive keeps every
distinct application. Of a non-repeatable one there can be only one: some have a rule per argument
(``_STRATEGIES``), for the others the arguments that most subgraphs give are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.composition.contexts import context_name
from router.composition.merge.context import names_of
from router.composition.merge.strategies import STRATEGIES, merge_arguments_by_strategy
from router.composition.model import quoted, value_text
from router.composition.supergraph_model import MergedUse
from router.federation.directives import FederationDirective
from router.federation.hints import HintCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.merge.context import MergeContext, Sources
    from router.composition.model import DirectiveUse, Element, Subgraph

__all__ = ["COMPOSED", "merge_uses"]

COMPOSED: Final = frozenset(
    {
        FederationDirective.TAG,
        FederationDirective.INACCESSIBLE,
        FederationDirective.AUTHENTICATED,
        FederationDirective.REQUIRES_SCOPES,
        FederationDirective.POLICY,
        FederationDirective.COST,
        FederationDirective.LIST_SIZE,
        FederationDirective.CONTEXT,
    }
)
"""Federation's directives that reach the supergraph under their own name."""

_BUILT_IN: Final = frozenset({"deprecated", "specifiedBy", "oneOf"})
_REPEATABLE: Final = frozenset({FederationDirective.TAG, FederationDirective.CONTEXT})


def merge_uses(
    context: MergeContext, coordinate: str, sources: Sources[Element]
) -> list[MergedUse]:
    """Merge the directives of one element, in the order in which they first appear."""
    by_name: dict[str, list[tuple[Subgraph, DirectiveUse]]] = {}
    for subgraph, element in sources:
        for use in element.uses:
            name = _supergraph_name(context, subgraph, use)
            if name is None:
                continue
            if use.kind is not None:
                context.note_applied(use.kind, subgraph)
            by_name.setdefault(name, []).append((subgraph, use))
    merged: list[MergedUse] = []
    for name, uses in by_name.items():
        applications = [
            MergedUse(name, _arguments(subgraph, use), use.kind) for subgraph, use in uses
        ]
        distinct = list(dict.fromkeys(applications))
        if len(distinct) > 1 and not _is_repeatable(context, name, uses[0][1]):
            distinct = [_one_of(context, coordinate, uses, applications)]
        merged.extend(distinct)
    return merged


def _supergraph_name(context: MergeContext, subgraph: Subgraph, use: DirectiveUse) -> str | None:
    """What the supergraph calls a directive; None when it does not reach the supergraph."""
    if use.kind is not None:
        return context.names.get(use.kind)
    if use.name in _BUILT_IN:
        context.built_in.add(use.name)
        return use.name
    composed = context.composed.by_subgraph.get(subgraph.name, frozenset())
    return use.name if use.name in composed else None


def _arguments(subgraph: Subgraph, use: DirectiveUse) -> tuple[tuple[str, str], ...]:
    if use.kind is FederationDirective.CONTEXT:
        # Contexts are each subgraph's own: two that share a name must not meet in the supergraph.
        return (("name", quoted(context_name(subgraph, use.string("name") or ""))),)
    return tuple((name, value_text(value) or "null") for name, value in use.arguments.items())


def _is_repeatable(context: MergeContext, name: str, use: DirectiveUse) -> bool:
    if use.kind is not None:
        return use.kind in _REPEATABLE
    composed = context.composed.definitions.get(name)
    return composed is not None and composed[1].repeatable


def _one_of(
    context: MergeContext,
    coordinate: str,
    uses: Sources[DirectiveUse],
    applications: Sequence[MergedUse],
) -> MergedUse:
    """The one application of a non-repeatable directive that stands for several."""
    first = applications[0]
    if first.kind is not None and first.kind in STRATEGIES:
        context.findings.hint(
            HintCode.MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS,
            f'Directive @{first.name} is applied to "{coordinate}" in multiple subgraphs with'
            " different arguments; the arguments were merged.",
            subgraphs=names_of(uses),
            coordinates=(coordinate,),
        )
        merged = merge_arguments_by_strategy(first.kind, [use for _, use in uses])
        return MergedUse(first.name, merged, first.kind)
    best = max(dict.fromkeys(applications), key=applications.count)
    context.findings.hint(
        HintCode.INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS,
        f'Non-repeatable directive @{first.name} is applied to "{coordinate}" in multiple subgraphs'
        f" but with incompatible arguments. The supergraph will use {best}.",
        subgraphs=names_of(uses),
        coordinates=(coordinate,),
    )
    return best
