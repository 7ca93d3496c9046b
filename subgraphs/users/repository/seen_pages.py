"""Pages of relations, with the others in them who live on the same shard as the list.

One statement reads both, so that a list of users costs one statement per shard in all: this one,
and the loader's on every other shard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from shared.sharding import EntityId, Slot
from subgraphs.users.repository.regard import viewer_parameters
from subgraphs.users.repository.relation_table import Relation, by_owner, page_parameters
from subgraphs.users.repository.users import SEEN_COLUMNS, SeenUser, seen_user
from subgraphs.users.tables import users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select

    from shared.sharding import ReadSession
    from subgraphs.users.repository.relation_table import KeyRange, RelationTable

__all__ = ["SeenPages", "SeenRelation"]


@dataclass(frozen=True, slots=True)
class SeenRelation:
    """A relation; ``seen`` is the other one, when a row of theirs is on this shard."""

    relation: Relation
    seen: SeenUser | None


class SeenPages:
    """Reads pages of one of the relation tables."""

    def __init__(self, relations: RelationTable) -> None:
        self._newest = _with_others(relations.pages(backward=False))
        self._oldest = _with_others(relations.pages(backward=True))

    async def load_many(
        self,
        session: ReadSession,
        owners: Sequence[EntityId],
        part: KeyRange,
        *,
        viewer_id: EntityId | None,
    ) -> dict[EntityId, list[SeenRelation]]:
        """The same part of the list of each of these owners; one statement."""
        rows = await session.execute(
            self._oldest if part.backward else self._newest,
            {**page_parameters(owners, part), **viewer_parameters(viewer_id)},
        )
        return by_owner(map(_seen_relation, rows), owners, part, lambda row: row.relation)


def _with_others(pages: Select[Any]) -> Select[Any]:
    page = pages.subquery("page")
    is_other = and_(users.c.slot == page.c.other_slot, users.c.id == page.c.other_id)
    return select(
        page.c.slot.label("owner_slot"),
        page.c.owner_id,
        page.c.other_slot,
        page.c.other_id,
        page.c.id.label("relation_id"),
        page.c.created_at.label("since"),
        *SEEN_COLUMNS,
    ).select_from(page.outerjoin(users, is_other))


def _seen_relation(row: Row[Any]) -> SeenRelation:  # Any: the columns of _with_others
    relation = Relation(
        id=row.relation_id,
        owner=EntityId(Slot(row.owner_slot), row.owner_id),
        other=EntityId(Slot(row.other_slot), row.other_id),
        created_at=row.since,
    )
    return SeenRelation(relation, None if row.id is None else seen_user(row))
