"""``WHERE (slot, id)`` is one of many: one prepared statement for every number of IDs.

A repository builds the statement once, at import, and runs it with ``id_parameters``::

    _BY_IDS = select_by_ids(users, users.c.slot, users.c.id, users.c.handle)

    async def load_many_users(session, ids):
        rows = await session.execute(_BY_IDS, id_parameters(ids))
        return {EntityId(row.slot, row.id): _user(row) for row in rows}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, SmallInteger, Uuid, and_, bindparam, column, func, select

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select, Table, TableValuedAlias

    from shared.sharding.ids import EntityId, Slot

__all__ = ["id_parameters", "select_by_ids", "wanted_ids"]


def select_by_ids(table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """``SELECT columns FROM table`` for the IDs in the parameters; the rows have no order."""
    wanted = wanted_ids()
    match = and_(table.c.slot == wanted.c.slot, table.c.id == wanted.c.id)
    return select(*columns).select_from(wanted.join(table, match))


def id_parameters(ids: Sequence[EntityId]) -> dict[str, list[Slot] | list[UUID]]:
    """The parameters of ``select_by_ids``."""
    return {"slots": [i.slot for i in ids], "ids": [i.uuid for i in ids]}


def wanted_ids() -> TableValuedAlias:
    """``unnest(:slots, :ids) AS wanted (slot, id)``, with ``id_parameters``: to be joined with, for
    an index scan of the primary key per pair.

    ``slot = ANY (...) AND id = ANY (...)`` would try every slot with every ID.
    """
    slots = bindparam("slots", type_=ARRAY(SmallInteger))
    ids = bindparam("ids", type_=ARRAY(Uuid))
    return (
        func.unnest(slots, ids)
        .table_valued(column("slot", SmallInteger), column("id", Uuid), name="wanted")
        .render_derived(name="wanted")
    )
