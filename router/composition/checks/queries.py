"""A supergraph needs something to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.composition.supergraph_model import MergedSupergraph

__all__ = ["check_queries"]


def check_queries(
    supergraph: MergedSupergraph, subgraphs: Sequence[Subgraph], findings: Findings
) -> None:
    """Report a supergraph without query fields."""
    query = supergraph.types.get("Query")
    if query is None or not query.fields:
        findings.error(
            ErrorCode.NO_QUERIES,
            "No queries found in any subgraph: a supergraph must have a query root type.",
            subgraphs=tuple(subgraph.name for subgraph in subgraphs),
        )
