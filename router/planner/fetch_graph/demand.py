"""Why a selection is in a fetch: for a client's field under some conditions, or as the input of
another fetch.

The conditions of a key field are those of the fetch that needs it, and they are known only when
that fetch is complete. So selections remember their demands, and conditions are worked out when the
graph is finished.

A ``@defer`` counts among the conditions here, so that it is known of every selection which parts of
the answer want it: those of a key field are those of the fetch that needs the key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.planner.fetch_graph.step import Step
    from router.query_graph import Conditions

__all__ = [
    "MAX_ALTERNATIVES",
    "Demand",
    "alternatives",
    "common_conditions",
    "deferrals_in",
    "without_deferrals",
]

MAX_ALTERNATIVES = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """Wanted when ``conditions`` hold and, when given, whenever ``step`` is made."""

    conditions: Conditions = frozenset()
    step: Step | None = None

    @property
    def is_possible(self) -> bool:
        """Whether the conditions can hold together."""
        return not _is_contradictory(self.conditions)

    def under(self, conditions: Conditions) -> Demand:
        """The demand of something nested, below further conditions."""
        return Demand(self.conditions | conditions, self.step) if conditions else self


def alternatives(demands: Iterable[Demand]) -> frozenset[Conditions]:
    """The sets of conditions under which somebody wants the selection: any one of them is enough.

    ``{∅}``: always. Sets that another one implies are left out; beyond ``MAX_ALTERNATIVES`` only
    what all have in common is kept, so that a selection may be made that nobody wanted.
    """
    found: set[Conditions] = set()
    for demand in demands:
        if demand.step is None:
            found.add(demand.conditions)
        else:
            found.update(demand.conditions | other for other in demand.step.alternatives())
    possible = {conditions for conditions in found if not _is_contradictory(conditions)}
    _resolve_opposites(possible)
    minimal = frozenset(
        conditions for conditions in possible if not any(other < conditions for other in possible)
    )
    if len(minimal) > MAX_ALTERNATIVES:
        return frozenset({frozenset.intersection(*minimal)})
    return minimal or frozenset({frozenset()})


def common_conditions(demands: Iterable[Demand]) -> Conditions:
    """The conditions all demands share: where they do not hold, nobody wants the selection."""
    return without_deferrals(frozenset.intersection(*alternatives(demands)))


def deferrals_in(conditions: Conditions) -> Conditions:
    """Those that are deferrals."""
    return frozenset(condition for condition in conditions if condition.deferral)


def without_deferrals(conditions: Conditions) -> Conditions:
    """Those that depend on a variable of the client."""
    return frozenset(condition for condition in conditions if not condition.deferral)


def _is_contradictory(conditions: Conditions) -> bool:
    return len({condition.variable for condition in conditions}) < len(conditions)


def _resolve_opposites(possible: set[Conditions]) -> None:
    """``a b`` or ``a !b`` is ``a``: what is wanted either way does not depend on the variable."""
    pending = list(possible)
    while pending:
        conditions = pending.pop()
        for condition in conditions:
            rest = conditions - {condition}
            opposite = rest | {replace(condition, wanted=not condition.wanted)}
            if opposite in possible and rest not in possible:
                possible.add(rest)
                pending.append(rest)
