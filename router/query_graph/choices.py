"""The values of the search in ``paths``: ways to a field, what is chosen, what it costs.

Needs and their ways make combinations, each a set of entries to weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from router.query_graph.graph import KeyMove, ViewNode
    from router.query_graph.selections import OpField

__all__ = [
    "FREE",
    "MAX_COMBINATIONS",
    "Choice",
    "Cost",
    "Entry",
    "Need",
    "Way",
    "assignment",
    "combinations",
]

MAX_COMBINATIONS = 128


@dataclass(frozen=True, slots=True)
class Cost:
    """What a choice costs: the fetches at this position by name of the visit, those below, and the
    longest chain.
    """

    visits: frozenset[str] = frozenset()
    below: int = 0
    depth: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """Comparable: fewer fetches first, then fewer stages."""
        return (len(self.visits) + self.below, self.depth)

    def plus(self, other: Cost) -> Cost:
        """Both, side by side."""
        return Cost(
            self.visits | other.visits, self.below + other.below, max(self.depth, other.depth)
        )


FREE = Cost()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to get a field: entering ``target``, with what it is computed from if it is."""

    target: ViewNode
    computed: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen entries at a position, in the order to make them, and where computed fields are
    computed.
    """

    cost: Cost
    entries: tuple[ViewNode, ...] = ()
    computed: tuple[tuple[OpField, ViewNode], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A costed entry into one subgraph: by which key, and which views it makes on the way."""

    move: KeyMove
    cost: Cost
    views: frozenset[ViewNode]


@dataclass(frozen=True, slots=True)
class Need:
    """Fields that no view resolves and that can be had in the same ways."""

    ways: tuple[Way, ...]
    fields: tuple[OpField, ...]


def assignment(
    ways: Sequence[tuple[Need, Way]],
) -> tuple[tuple[ViewNode, ...], tuple[tuple[OpField, ViewNode], ...]]:
    """The entries and the computed fields that an assignment of needs to ways amounts to."""
    entries = dict.fromkeys(way.target for _, way in ways if not way.computed)
    computed = tuple((f, way.target) for need, way in ways if way.computed for f in need.fields)
    return tuple(entries), computed


def combinations(needs: Sequence[Need]) -> Iterable[Sequence[tuple[Need, Way]]]:
    """Every assignment of needs to ways, or one greedy assignment where there are too many."""
    count = 1
    for need in needs:
        count *= len(need.ways)
    if count <= MAX_COMBINATIONS:
        return (tuple(zip(needs, ways, strict=True)) for ways in product(*(n.ways for n in needs)))
    return [_greedy(needs)]


def _greedy(needs: Sequence[Need]) -> list[tuple[Need, Way]]:
    """Take again and again the subgraph that serves most of what is left."""
    chosen: list[tuple[Need, Way]] = []
    left = list(needs)
    while left:
        counts: dict[Way, int] = {}
        for need in left:
            for way in need.ways:
                counts[way] = counts.get(way, 0) + (1 if way.computed else len(need.fields))
        best = max(counts, key=lambda way: counts[way])
        chosen.extend((need, best) for need in left if best in need.ways)
        left = [need for need in left if best not in need.ways]
    return chosen
