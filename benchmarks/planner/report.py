"""The measurements as Markdown."""

from __future__ import annotations

import platform
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.planner.measure import Building, Planning

__all__ = ["Synthetic", "as_markdown"]

_MEGABYTE = 1_000_000
_MILLISECOND = 1e-3


@dataclass(frozen=True, slots=True)
class Synthetic:
    """One synthetic supergraph."""

    building: Building
    planning: Planning


def as_markdown(
    cases: Planning, random: Planning, supergraphs: int, synthetic: Sequence[Synthetic]
) -> str:
    """Two tables: plans, and what comes before the first one."""
    plans = [
        _plan_row(f"federation cases ({supergraphs} supergraphs)", cases),
        _plan_row("generated, over the same supergraphs", random),
        *(_plan_row(_name(one.building), one.planning) for one in synthetic),
    ]
    return "\n".join(
        [
            "# Composition and planning",
            "",
            f"Python {platform.python_version()}, {platform.machine()}, one thread, times are of "
            "the CPU. A cold plan is the first one of an operation: nothing of it is cached; "
            "parsing and validation are not included, and the garbage collector does not walk the "
            "supergraph (`gc.freeze`). "
            "`python -m benchmarks.planner`.",
            "",
            *_table(
                "operations over | plans | fields (median, most) | fetches (median, most) "
                "| median ms | worst ms",
                plans,
            ),
            "",
            "`compose` includes the satisfiability check. `model` is what a loaded supergraph "
            "holds, `graph` what the query graph adds when everything has been asked of it.",
            "",
            *_table(
                "supergraph | fields | SDL MB | compose s | of it satisfiability s | load s "
                "| model MB | graph MB",
                [_building_row(one.building) for one in synthetic],
            ),
            "",
        ]
    )


def _name(building: Building) -> str:
    return f"{building.subgraphs} subgraphs, {building.types} types"


def _plan_row(name: str, planning: Planning) -> list[str]:
    return [
        name,
        str(len(planning.times)),
        f"{statistics.median(planning.selected):.0f}, {max(planning.selected)}",
        f"{statistics.median(planning.fetches):.0f}, {max(planning.fetches)}",
        f"{planning.median / _MILLISECOND:.1f}",
        f"{planning.worst / _MILLISECOND:.1f}",
    ]


def _building_row(building: Building) -> list[str]:
    return [
        _name(building),
        str(building.fields),
        f"{building.sdl / _MEGABYTE:.2f}",
        f"{building.compose:.1f}",
        f"{building.satisfiability:.1f}",
        f"{building.load:.1f}",
        f"{building.model / _MEGABYTE:.0f}",
        f"{building.graph / _MEGABYTE:.0f}",
    ]


def _table(head: str, rows: Sequence[Sequence[str]]) -> list[str]:
    columns = len(head.split("|"))
    ruler = ["---", *["---:"] * (columns - 1)]
    return [f"| {head} |", f"| {' | '.join(ruler)} |", *(f"| {' | '.join(row)} |" for row in rows)]
