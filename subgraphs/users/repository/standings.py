"""The SQL of what one user has with many others: all of it lies on that user's slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, select

from shared.db.by_ids import id_parameters, wanted_ids
from shared.sharding import EntityId, Slot
from subgraphs.users.tables import blocks, contacts, followers, following

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Table

    from shared.sharding import ReadSession

__all__ = ["Standing", "StandingRepository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a user has with another one."""

    follows: bool = False
    is_followed: bool = False
    has_as_contact: bool = False
    has_blocked: bool = False


_WANTED = wanted_ids()


def _has(table: Table, owner: str, other: str) -> ColumnElement[bool]:
    """A look into the primary key per wanted ID."""
    return exists().where(
        table.c.slot == bindparam("slot_"),
        table.c[f"{owner}_id"] == bindparam("id_"),
        table.c[f"{other}_slot"] == _WANTED.c.slot,
        table.c[f"{other}_id"] == _WANTED.c.id,
    )


_STANDINGS = select(
    _WANTED.c.slot,
    _WANTED.c.id,
    _has(following, "follower", "followee").label("follows"),
    _has(followers, "followee", "follower").label("is_followed"),
    _has(contacts, "owner", "contact").label("has_as_contact"),
    _has(blocks, "blocker", "blocked").label("has_blocked"),
)


class StandingRepository:
    """Reads what a user has with others."""

    async def load_many_standings(
        self, session: ReadSession, user_id: EntityId, others: Sequence[EntityId]
    ) -> dict[EntityId, Standing]:
        """What ``user_id`` has with each of these, wherever they live; one statement."""
        rows = await session.execute(
            _STANDINGS, {**id_parameters(others), "slot_": user_id.slot, "id_": user_id.uuid}
        )
        return {
            EntityId(Slot(row.slot), row.id): Standing(
                follows=row.follows,
                is_followed=row.is_followed,
                has_as_contact=row.has_as_contact,
                has_blocked=row.has_blocked,
            )
            for row in rows
        }
