"""The supergraph is a GraphQL schema.

Subgraphs that are valid one by one can merge into something that is not: a field that became
nullable although an interface promises that it is not, say. GraphQL's own rules find that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.composition.graphql_rules import schema_faults
from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from router.composition.result import Findings
    from router.supergraph import Supergraph

__all__ = ["check_graphql_rules"]


def check_graphql_rules(supergraph: Supergraph, findings: Findings) -> None:
    """Report every breach of the GraphQL specification in a finished supergraph."""
    for error in schema_faults(supergraph.schema):
        findings.error(ErrorCode.INVALID_GRAPHQL, error.message)
