"""The schema element itself: its description and directives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.merge.context import merge_description
from router.composition.merge.directives import merge_uses
from router.composition.merge.join_directives import join_directives

if TYPE_CHECKING:
    from router.composition.merge.context import MergeContext

__all__ = ["merge_schema"]


def merge_schema(context: MergeContext) -> None:
    """Merge what the subgraphs say about their schemas as a whole."""
    sources = [(subgraph, subgraph.schema) for subgraph in context.subgraphs]
    schema = context.supergraph.schema
    schema.description = merge_description(context, "schema", sources)
    schema.uses = merge_uses(context, "schema", sources)
    schema.joins = join_directives(context, sources)
