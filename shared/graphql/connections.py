"""Relay cursor connections as Strawberry types, the same shape in every subgraph.

``PageInfo`` is one type of the supergraph that several subgraphs define, hence ``@shareable``.
"""

from collections.abc import Callable, Sequence
from typing import Generic, Self, TypeVar

import strawberry

from shared.pagination import Page
from shared.sharding import ScatterPage

__all__ = ["Connection", "Edge", "PageInfo"]

Node = TypeVar("Node")
Row = TypeVar("Row")


@strawberry.federation.type(
    shareable=True, description="Where a page of a connection lies in its list."
)
class PageInfo:
    """See the Relay cursor connections specification, section 5."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="An item of a connection, and the cursor that continues after it.")
class Edge(Generic[Node]):
    """One item."""

    cursor: str
    node: Node


@strawberry.type(description="A page of a list; see the Relay cursor connections specification.")
class Connection(Generic[Node]):
    """One page.

    Subgraphs use it as ``Connection[User]``, which GraphQL shows as ``UserConnection``.
    """

    edges: list[Edge[Node]]
    nodes: list[Node]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[Row] | ScatterPage[Row], to_node: Callable[[Row], Node]) -> Self:
        """The connection of a page of rows, of one shard or of many."""
        return cls.of_part(page, [(edge.cursor, to_node(edge.node)) for edge in page.edges])

    @classmethod
    def of_part(cls, page: Page[Row] | ScatterPage[Row], pairs: Sequence[tuple[str, Node]]) -> Self:
        """The connection of a page of which some rows are not shown.

        Its ends are those of the whole page: a client gets on behind it even when nothing is left.
        """
        return cls.from_pairs(
            pairs,
            has_next_page=page.has_next_page,
            has_previous_page=page.has_previous_page,
            start_cursor=page.start_cursor,
            end_cursor=page.end_cursor,
        )

    @classmethod
    def from_pairs(
        cls,
        pairs: Sequence[tuple[str, Node]],
        *,
        has_next_page: bool,
        has_previous_page: bool,
        start_cursor: str | None = None,
        end_cursor: str | None = None,
    ) -> Self:
        """The connection of nodes with their cursors.

        The cursors of its ends are those of the first and the last node; give them where these are
        not the ends of what was read.
        """
        return cls(
            edges=[Edge(cursor=cursor, node=node) for cursor, node in pairs],
            nodes=[node for _, node in pairs],
            page_info=PageInfo(
                has_next_page=has_next_page,
                has_previous_page=has_previous_page,
                start_cursor=start_cursor or (pairs[0][0] if pairs else None),
                end_cursor=end_cursor or (pairs[-1][0] if pairs else None),
            ),
        )
