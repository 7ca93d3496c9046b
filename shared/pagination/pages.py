"""From rows to a page of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.pagination.arguments import PageRequest

__all__ = ["Edge", "Page", "build_page"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """A row with its cursor."""

    node: T
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page, in the list's order whichever way it was read."""

    edges: tuple[Edge[T], ...]
    has_next_page: bool
    has_previous_page: bool

    @property
    def nodes(self) -> tuple[T, ...]:
        """The rows alone."""
        return tuple(edge.node for edge in self.edges)

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first edge."""
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last edge."""
        return self.edges[-1].cursor if self.edges else None


def build_page(rows: Sequence[T], request: PageRequest, cursor_of: Callable[[T], str]) -> Page[T]:
    """The page out of at most ``request.limit + 1`` rows, read in the direction of the request.

    The extra row tells whether there is more in that direction. In the other direction there is
    something exactly if a cursor was given there (as the Relay specification allows when it is not
    cheap to know).
    """
    kept = list(rows[: request.limit])
    more = len(rows) > request.limit
    if request.backward:
        kept.reverse()
    return Page(
        edges=tuple(Edge(row, cursor_of(row)) for row in kept),
        has_next_page=request.before is not None if request.backward else more,
        has_previous_page=more if request.backward else request.after is not None,
    )
