"""The SQL of the table `blocks`: whom users have blocked."""

from __future__ import annotations

from subgraphs.users.repository.relation_table import RelationTable
from subgraphs.users.tables import blocks

__all__ = ["BlockRepository"]


class BlockRepository(RelationTable):
    """Blocks, on the blockers' slots."""

    def __init__(self) -> None:
        super().__init__(blocks, owner="blocker", other="blocked")
