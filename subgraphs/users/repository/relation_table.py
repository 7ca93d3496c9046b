"""The SQL that contacts, follows and blocks have in common: rows of a user about other users.

Each of these tables has ``(slot, <owner>_id, <other>_slot, <other>_id)`` as its primary key, and an
``id`` (UUIDv7) that orders the owner's list, newest first; see ``tables._relation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, SmallInteger, Uuid, bindparam, column, delete, func, select, true
from sqlalchemy.dialects.postgresql import insert

from shared.sharding import EntityId, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Select, Table

    from shared.sharding import ReadSession, Session, WriteSession

__all__ = [
    "FIRST_UUID",
    "LAST_UUID",
    "KeyRange",
    "Relation",
    "RelationTable",
    "by_owner",
    "page_parameters",
    "read_relation",
]

R = TypeVar("R")

FIRST_UUID, LAST_UUID = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A row: what ``owner`` has with ``other`` since ``created_at``."""

    id: UUID
    owner: EntityId
    other: EntityId
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRange:
    """Which part of an owner's list to read: newest first, or oldest first when ``backward``.

    ``after`` and ``before`` are exclusive, in the order newest first.
    """

    limit: int
    after: UUID | None
    before: UUID | None
    backward: bool


class RelationTable:
    """Reads and writes one of the tables. Sessions are on the owner's slot or shard."""

    def __init__(self, table: Table, *, owner: str, other: str) -> None:
        self._owner_id: ColumnElement[UUID] = table.c[f"{owner}_id"]
        self._other_slot: ColumnElement[int] = table.c[f"{other}_slot"]
        self._other_id: ColumnElement[UUID] = table.c[f"{other}_id"]
        self._table = table
        self._names = (f"{owner}_id", f"{other}_slot", f"{other}_id")
        self._columns = (
            table.c.slot,
            self._owner_id.label("owner_id"),
            self._other_slot.label("other_slot"),
            self._other_id.label("other_id"),
            table.c.id,
            table.c.created_at,
        )
        is_pair = (
            (table.c.slot == bindparam("slot_"))
            & (self._owner_id == bindparam("owner_id_"))
            & (self._other_slot == bindparam("other_slot_"))
            & (self._other_id == bindparam("other_id_"))
        )
        self._find = select(*self._columns).where(is_pair)
        added = insert(table)
        key = list(table.primary_key)
        # The newer of two rows stays, in whatever order they come.
        self._put = added.on_conflict_do_update(
            index_elements=key,
            set_={"id": added.excluded.id, "created_at": added.excluded.created_at},
            where=table.c.id < added.excluded.id,
        ).returning(column("old.id", is_literal=True).is_(None).label("is_new"))
        self._remove = delete(table).where(is_pair).returning(*self._columns)
        self._remove_exactly = self._remove.where(table.c.id == bindparam("id_"))
        self._remove_some = self._some_of_owner()
        self._newest = self.pages(backward=False)
        self._oldest = self.pages(backward=True)

    async def find(self, session: Session, owner: EntityId, other: EntityId) -> Relation | None:
        """The row of this pair."""
        row = (await session.execute(self._find, _pair(owner, other))).one_or_none()
        return None if row is None else read_relation(row)

    async def put(self, session: WriteSession, row: Relation) -> bool:
        """Write a row; True when the pair had none. A newer row of the pair stays as it is."""
        owner_id, other_slot, other_id = self._names
        values = {
            "slot": row.owner.slot,
            owner_id: row.owner.uuid,
            other_slot: row.other.slot,
            other_id: row.other.uuid,
            "id": row.id,
            "created_at": row.created_at,
        }
        put = (await session.execute(self._put, values)).one_or_none()
        return put is not None and bool(put.is_new)

    async def remove(
        self, session: WriteSession, owner: EntityId, other: EntityId, *, only: UUID | None = None
    ) -> Relation | None:
        """Delete the pair's row, and return it; with ``only``, if its ``id`` is this one."""
        if only is None:
            result = await session.execute(self._remove, _pair(owner, other))
        else:
            result = await session.execute(
                self._remove_exactly, {**_pair(owner, other), "id_": only}
            )
        row = result.one_or_none()
        return None if row is None else read_relation(row)

    async def remove_some(
        self, session: WriteSession, owner: EntityId, limit: int
    ) -> list[Relation]:
        """Delete up to ``limit`` rows of an owner, and return them."""
        parameters = {"slot_": owner.slot, "owner_id_": owner.uuid, "limit_": limit}
        return list(map(read_relation, await session.execute(self._remove_some, parameters)))

    async def load_many_pages(
        self, session: ReadSession, owners: Sequence[EntityId], part: KeyRange
    ) -> dict[EntityId, list[Relation]]:
        """The same part of the list of each of these owners; one statement."""
        statement = self._oldest if part.backward else self._newest
        rows = await session.execute(statement, page_parameters(owners, part))
        return by_owner(map(read_relation, rows), owners, part, lambda row: row)

    def pages(self, *, backward: bool) -> Select[Any]:
        """A page of each of many owners, without order, for ``read_relation``; the statement needs
        ``page_parameters``. An index scan per owner, however many there are.
        """
        owners = (
            func.unnest(
                bindparam("slots", type_=ARRAY(SmallInteger)),
                bindparam("owner_ids", type_=ARRAY(Uuid)),
            )
            .table_valued(column("slot", SmallInteger), column("owner_id", Uuid), name="owners")
            .render_derived()
        )
        table_id = self._table.c.id
        page = (
            select(*self._columns)
            .where(
                self._table.c.slot == owners.c.slot,
                self._owner_id == owners.c.owner_id,
                # bounds that are always there keep the plan the same, and on the index
                table_id < bindparam("after_", type_=Uuid),
                table_id > bindparam("before_", type_=Uuid),
            )
            .order_by(table_id.asc() if backward else table_id.desc())
            .limit(bindparam("limit_"))
            .lateral("page")
        )
        return select(page).select_from(owners.join(page, true()))

    def _some_of_owner(self) -> Any:  # Any: a DELETE ... RETURNING of the columns
        of_owner = (self._table.c.slot == bindparam("slot_")) & (
            self._owner_id == bindparam("owner_id_")
        )
        some = select(self._table.c.id).where(of_owner).limit(bindparam("limit_"))
        return (
            delete(self._table)
            .where(of_owner, self._table.c.id.in_(some))
            .returning(*self._columns)
        )


def _pair(owner: EntityId, other: EntityId) -> dict[str, object]:
    return {
        "slot_": owner.slot,
        "owner_id_": owner.uuid,
        "other_slot_": other.slot,
        "other_id_": other.uuid,
    }


def page_parameters(owners: Sequence[EntityId], part: KeyRange) -> dict[str, object]:
    """The parameters of ``RelationTable.pages``."""
    return {
        "slots": [owner.slot for owner in owners],
        "owner_ids": [owner.uuid for owner in owners],
        "after_": part.after or LAST_UUID,
        "before_": part.before or FIRST_UUID,
        "limit_": part.limit,
    }


def by_owner(
    rows: Iterable[R],
    owners: Sequence[EntityId],
    part: KeyRange,
    relation_of: Callable[[R], Relation],
) -> dict[EntityId, list[R]]:
    """The rows of each owner, in the order of the page, because a join promises none."""
    found: dict[EntityId, list[R]] = {owner: [] for owner in owners}
    for row in rows:
        found[relation_of(row).owner].append(row)
    for listed in found.values():
        listed.sort(key=lambda row: relation_of(row).id, reverse=not part.backward)
    return found


def read_relation(row: Row[Any]) -> Relation:  # Any: the columns are those of a relation table
    """The relation in a row."""
    return Relation(
        id=row.id,
        owner=EntityId(Slot(row.slot), row.owner_id),
        other=EntityId(Slot(row.other_slot), row.other_id),
        created_at=row.created_at,
    )
