"""Diagnostics for developers: how many SQL statements an operation took, and on which shards."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from strawberry.extensions import SchemaExtension
from typing_extensions import override

from shared.graphql.context import SubgraphContext
from shared.sharding import StatementCounts, count_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StatementsExtension"]


class StatementsExtension(SchemaExtension):
    """Adds ``extensions.sql`` when the context asks for diagnostics: ``{"statements": 2, "shards":
    {"shard-0": 1, ...}}``.

    In a subscription each event has its own count.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: StatementCounts | None = None

    @override
    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context
        with count_statements() as counts:  # always: the metric of statements a request needs it
            if isinstance(context, SubgraphContext) and context.diagnostics:
                self._counts = counts
            yield

    @override
    def get_results(self) -> dict[str, Any]:
        if self._counts is None:
            return {}
        by_shard: Counter[str] = Counter()
        for (_, shard), statements in sorted(self._counts.by_shard.items()):
            by_shard[shard] += statements
        self._counts.by_shard.clear()
        return {"sql": {"statements": by_shard.total(), "shards": dict(by_shard)}}
