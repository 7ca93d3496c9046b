"""Checks of the merged schema, one per file, in the order they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from router.composition.checks.access import check_transitive_access
from router.composition.checks.inaccessible import check_inaccessible
from router.composition.checks.interfaces import check_interfaces
from router.composition.checks.queries import check_queries
from router.composition.checks.requirements import check_requirements
from router.composition.checks.runtime_types import check_runtime_types
from router.composition.model import Subgraph
from router.composition.result import Findings
from router.composition.supergraph_model import MergedSupergraph

__all__ = ["MERGE_CHECKS", "MergeCheck"]

MergeCheck: TypeAlias = Callable[[MergedSupergraph, Sequence[Subgraph], Findings], None]

MERGE_CHECKS: Final[tuple[MergeCheck, ...]] = (
    check_queries,
    check_interfaces,
    check_inaccessible,
    check_requirements,
    check_transitive_access,
    check_runtime_types,
)
