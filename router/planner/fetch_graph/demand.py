"""Why a selection is in a fetch: for a client's field under some conditions, or as the input of
another fetch.

The conditions of a key field are those of the fetch that needs it, and they are known only when
that fetch is complete. So selections remember their demands, and conditions are worked out when the
graph is finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.planner.fetch_graph.step import Step
    from router.query_graph import Conditions

__all__ = ["Demand", "common_conditions"]


@dataclass(frozen=True, slots=True)
class Demand:
    """Wanted when ``conditions`` hold and, when given, whenever ``step`` is made."""

    conditions: Conditions = frozenset()
    step: Step | None = None

    def under(self, conditions: Conditions) -> Demand:
        """The demand of something nested, below further conditions."""
        return Demand(self.conditions | conditions, self.step) if conditions else self


def common_conditions(demands: set[Demand]) -> Conditions:
    """The conditions all demands share: where they do not hold, nobody wants the selection.

    Two demands under different conditions share none; the selection is then made though one might
    have done without.
    """
    result: Conditions | None = None
    for demand in demands:
        conditions = demand.conditions
        if demand.step is not None:
            conditions |= demand.step.conditions()
        result = conditions if result is None else result & conditions
        if not result:
            break
    return result or frozenset()
