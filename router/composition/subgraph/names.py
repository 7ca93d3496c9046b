"""The names of the subgraphs themselves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from router.federation.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.result import Findings, SubgraphInput

__all__ = ["check_names"]


def check_names(subgraphs: Sequence[SubgraphInput], findings: Findings) -> None:
    """Report unusable and repeated names, and a composition of nothing."""
    if not subgraphs:
        findings.error(ErrorCode.CONFIG_INVALID, "There are no subgraphs to compose.")
    for name, count in Counter(subgraph.name for subgraph in subgraphs).items():
        if name in {"", "_"}:
            findings.error(
                ErrorCode.INVALID_SUBGRAPH_NAME,
                f'Invalid name "{name}" for a subgraph: it must not be empty or a single'
                " underscore.",
                subgraphs=(name,),
            )
        if count > 1:
            findings.error(
                ErrorCode.INVALID_SUBGRAPH_NAME,
                f'{count} subgraphs are named "{name}": every subgraph needs a name of its own.',
                subgraphs=(name,),
            )
