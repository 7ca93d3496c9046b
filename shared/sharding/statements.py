"""Counting SQL statements per request, so that tests and developers see what a query costs.

``count_statements`` opens a count for the current context; every statement of every engine of
``Shards`` run in that context, or in tasks started from it, adds to it. BEGIN, COMMIT and the
driver's own housekeeping are not counted.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.sharding.metrics import observe_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.sharding.ids import ShardId

__all__ = ["StatementCounts", "count_statements", "record_statement"]


@dataclass(slots=True)
class StatementCounts:
    """Statements since the count was opened."""

    by_shard: Counter[tuple[str, ShardId]] = field(default_factory=Counter)  # (domain, shard) -> n

    @property
    def total(self) -> int:
        """All statements."""
        return self.by_shard.total()

    def by_domain(self) -> dict[str, int]:
        """The statements by domain, over all its shards."""
        totals: Counter[str] = Counter()
        for (domain, _), statements in self.by_shard.items():
            totals[domain] += statements
        return dict(totals)

    def of(self, domain: str) -> dict[ShardId, int]:
        """The statements of one domain by shard, in the order of the names."""
        return {shard: n for (owner, shard), n in sorted(self.by_shard.items()) if owner == domain}


_counts: ContextVar[StatementCounts | None] = ContextVar("statement_counts", default=None)


@contextmanager
def count_statements() -> Iterator[StatementCounts]:
    """Counts the block's statements, for it and for the metrics. Inner counts are their own."""
    counts = StatementCounts()
    token = _counts.set(counts)
    try:
        yield counts
    finally:
        _counts.reset(token)
        observe_request(counts.by_domain().items())


def record_statement(domain: str, shard: ShardId) -> None:
    """Adds one statement to the count of the current context, if one is open."""
    if (counts := _counts.get()) is not None:
        counts.by_shard[domain, shard] += 1
