"""Rules for one subgraph on its own, one per file, in the order they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from router.composition.facts import Facts
from router.composition.model import Subgraph
from router.composition.result import Findings
from router.composition.rules.access_usage import check_access_usage
from router.composition.rules.context_usage import check_context_usage
from router.composition.rules.cost import check_cost
from router.composition.rules.external_usage import check_external_usage
from router.composition.rules.field_sets import check_field_sets
from router.composition.rules.interface_entities import check_interface_entities
from router.composition.rules.override_usage import check_override_usage
from router.composition.rules.shareable_usage import check_shareable_usage

__all__ = ["SUBGRAPH_RULES", "SubgraphRule"]

SubgraphRule: TypeAlias = Callable[[Subgraph, Facts, Findings], None]

SUBGRAPH_RULES: Final[tuple[SubgraphRule, ...]] = (
    check_field_sets,
    check_external_usage,
    check_shareable_usage,
    check_override_usage,
    check_interface_entities,
    check_context_usage,
    check_cost,
    check_access_usage,
)
