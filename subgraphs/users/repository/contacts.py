"""The SQL of the table `contacts`: whom users have in their address books, by which nickname."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    SmallInteger,
    Uuid,
    bindparam,
    case,
    column,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from shared.db.by_ids import id_parameters, wanted_ids
from shared.sharding import EntityId, Slot
from subgraphs.users.repository.relation_table import FIRST_UUID, LAST_UUID
from subgraphs.users.tables import contacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from shared.sharding import ReadSession, Session, WriteSession
    from subgraphs.users.repository.relation_table import KeyRange

__all__ = ["ContactRecord", "ContactRepository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """A row. ``id`` orders the owner's list, newest first."""

    id: UUID
    owner: EntityId
    contact: EntityId
    nickname: str | None
    created_at: datetime


_COLUMNS = tuple(contacts.c)
_KEY = list(contacts.primary_key)
_IS_OWNERS = (contacts.c.slot == bindparam("slot_")) & (
    contacts.c.owner_id == bindparam("owner_id_")
)
_IS_PAIR = (
    _IS_OWNERS
    & (contacts.c.contact_slot == bindparam("contact_slot_"))
    & (contacts.c.contact_id == bindparam("contact_id_"))
)

_added = insert(contacts)
_PUT = _added.on_conflict_do_update(
    index_elements=_KEY,
    set_={
        "nickname": case(
            (bindparam("keeps_nickname", type_=Boolean), contacts.c.nickname),
            else_=_added.excluded.nickname,
        )
    },
).returning(*_COLUMNS)

_NEW = (
    func.unnest(
        bindparam("contact_slots", type_=ARRAY(SmallInteger)),
        bindparam("contact_ids", type_=ARRAY(Uuid)),
        bindparam("row_ids", type_=ARRAY(Uuid)),
    )
    .table_valued(
        column("contact_slot", SmallInteger), column("contact_id", Uuid), column("id", Uuid)
    )
    .render_derived(name="added")
)
_PUT_MANY = (
    insert(contacts)
    .from_select(
        ["slot", "owner_id", "contact_slot", "contact_id", "id", "created_at"],
        select(
            bindparam("slot_", type_=contacts.c.slot.type),
            bindparam("owner_id_", type_=contacts.c.owner_id.type),
            _NEW.c.contact_slot,
            _NEW.c.contact_id,
            _NEW.c.id,
            bindparam("created_at_", type_=contacts.c.created_at.type),
        ),
    )
    .on_conflict_do_nothing(index_elements=_KEY)
)
_WANTED = wanted_ids()
_FIND_MANY = (
    select(*_COLUMNS)
    .select_from(
        _WANTED.join(
            contacts,
            (contacts.c.contact_slot == _WANTED.c.slot) & (contacts.c.contact_id == _WANTED.c.id),
        )
    )
    .where(_IS_OWNERS)
)
_REMOVE = delete(contacts).where(_IS_PAIR)
_PAGE = (
    select(*_COLUMNS)
    .where(
        _IS_OWNERS,
        # bounds that are always there keep the plan the same, and on the index
        contacts.c.id < bindparam("after_"),
        contacts.c.id > bindparam("before_"),
    )
    .limit(bindparam("limit_"))
)
_NEWEST = _PAGE.order_by(contacts.c.id.desc())
_OLDEST = _PAGE.order_by(contacts.c.id.asc())


class ContactRepository:
    """Reads and writes contacts. Sessions are on the owner's slot."""

    async def put(
        self, session: WriteSession, record: ContactRecord, *, keeps_nickname: bool
    ) -> ContactRecord:
        """Add a contact, and return it as it is then: one that is there already stays and gets the
        nickname, unless ``keeps_nickname``.
        """
        values = {**_pair(record.owner, record.contact), "id": record.id}
        values |= {"nickname": record.nickname, "created_at": record.created_at}
        row = (await session.execute(_PUT, {**values, "keeps_nickname": keeps_nickname})).one()
        return _contact(row)

    async def put_many(self, session: WriteSession, records: Sequence[ContactRecord]) -> None:
        """Add contacts of one owner without nicknames; those that are there already stay."""
        if not records:
            return
        # in one order, so that two at once wait for each other only one way
        ordered = sorted(records, key=lambda record: (record.contact.slot, record.contact.uuid))
        first = ordered[0]
        await session.execute(
            _PUT_MANY,
            {
                "slot_": first.owner.slot,
                "owner_id_": first.owner.uuid,
                "created_at_": first.created_at,
                "contact_slots": [record.contact.slot for record in ordered],
                "contact_ids": [record.contact.uuid for record in ordered],
                "row_ids": [record.id for record in ordered],
            },
        )

    async def find_many(
        self, session: Session, owner: EntityId, others: Sequence[EntityId]
    ) -> dict[EntityId, ContactRecord]:
        """Those of these users whom the owner has as contact; one statement."""
        parameters = {**_owner(owner), **id_parameters(others)}
        return _by_contact(await session.execute(_FIND_MANY, parameters))

    async def remove(self, session: WriteSession, owner: EntityId, other: EntityId) -> bool:
        """Delete a contact; False when there was none."""
        parameters = {
            **_owner(owner),
            "contact_slot_": other.slot,
            "contact_id_": other.uuid,
        }
        return (await session.execute(_REMOVE, parameters)).rowcount == 1

    async def list_contacts(
        self, session: ReadSession, owner: EntityId, part: KeyRange
    ) -> list[ContactRecord]:
        """A part of the owner's list; one statement."""
        rows = await session.execute(
            _OLDEST if part.backward else _NEWEST,
            {
                **_owner(owner),
                "after_": part.after or LAST_UUID,
                "before_": part.before or FIRST_UUID,
                "limit_": part.limit,
            },
        )
        return [_contact(row) for row in rows]


def _owner(owner: EntityId) -> dict[str, object]:
    return {"slot_": owner.slot, "owner_id_": owner.uuid}


def _pair(owner: EntityId, other: EntityId) -> dict[str, object]:
    return {
        "slot": owner.slot,
        "owner_id": owner.uuid,
        "contact_slot": other.slot,
        "contact_id": other.uuid,
    }


def _by_contact(rows: Iterable[Row[Any]]) -> dict[EntityId, ContactRecord]:
    return {record.contact: record for record in map(_contact, rows)}


def _contact(row: Row[Any]) -> ContactRecord:  # Any: the columns are those of the table
    return ContactRecord(
        id=row.id,
        owner=EntityId(Slot(row.slot), row.owner_id),
        contact=EntityId(Slot(row.contact_slot), row.contact_id),
        nickname=row.nickname,
        created_at=row.created_at,
    )
