"""The last check: a supergraph in which some query could not be planned does not compose.

Run on the finished supergraph through the planner's own query graph, so that the check and the
planner cannot disagree. Source: Apollo's composition rules, ``SATISFIABILITY_ERROR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.federation.codes import ErrorCode
from router.query_graph import QueryGraph
from router.query_graph.paths import SearchLimitError
from router.query_graph.satisfiability import Unsatisfiable, find_unsatisfiable

if TYPE_CHECKING:
    from router.composition.result import Findings
    from router.supergraph import Supergraph

__all__ = ["check_satisfiability"]


def check_satisfiability(supergraph: Supergraph, findings: Findings) -> None:
    """Add an error per field that some query can ask for and no plan can give."""
    try:
        for found in find_unsatisfiable(QueryGraph(supergraph)):
            findings.error(
                ErrorCode.SATISFIABILITY_ERROR,
                _message(found),
                subgraphs=found.subgraphs,
                coordinates=(found.coordinate,),
            )
    except (SearchLimitError, RecursionError):
        findings.error(
            ErrorCode.MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED,
            "Whether every query can be planned takes more work to find out than is allowed: the "
            "keys and requirements of the subgraphs lead to each other in too many ways.",
        )


def _message(found: Unsatisfiable) -> str:
    lines = [
        "The following supergraph API query:",
        found.query,
        "cannot be satisfied by the subgraphs because:",
    ]
    for subgraph, reasons in found.reasons:
        lines.append(f'- from subgraph "{subgraph}":')
        lines.extend(f"  - {reason}" for reason in reasons)
    return "\n".join(lines)
