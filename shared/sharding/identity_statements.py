"""The SQL of the identities protocol.

Every statement touches one row by its primary key (``at_*``). Times are compared and made by the
shard's own clock, never by ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    ARRAY,
    DateTime,
    Interval,
    MetaData,
    SmallInteger,
    Text,
    and_,
    bindparam,
    column,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from shared.sharding.identity_rows import ReservationState, identities_table

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

__all__ = [
    "CONFIRM",
    "FIND",
    "FIND_MANY",
    "IS_BEFORE",
    "RELEASE",
    "RESERVE",
    "TAKE_OVER",
    "WITHDRAW",
]

_ROWS = identities_table(MetaData())
_C = _ROWS.c

_NOW = func.clock_timestamp()
_LEASE_END = _NOW + bindparam("lease", type_=Interval())


def _parameter(name: str, column: str) -> ColumnElement[object]:
    return bindparam(name, type_=_C[column].type)


_THIS_VALUE = and_(
    *(_C[name] == _parameter(f"at_{name}", name) for name in ("slot", "kind", "value"))
)
_SAME_OWNER = and_(
    *(
        _C[name] == _parameter(f"new_{name}", name)
        for name in ("claimant", "owner_slot", "owner_id")
    )
)
_PENDING = _C.state == ReservationState.PENDING
_NEW_HOLDER = {
    "state": ReservationState.PENDING,
    "expires_at": _LEASE_END,
    **{name: _parameter(f"new_{name}", name) for name in ("claimant", "owner_slot", "owner_id")},
}

_insert = insert(_ROWS).values(
    {name: _parameter(f"at_{name}", name) for name in ("slot", "kind", "value")} | _NEW_HOLDER
)

RESERVE = _insert.on_conflict_do_update(
    index_elements=[_C.slot, _C.kind, _C.value],
    set_={"expires_at": _insert.excluded.expires_at},
    where=and_(_C.claimant == _insert.excluded.claimant, _PENDING),
).returning(_ROWS)
"""Takes a free value, or renews the claimant's own lease (its first owner stays); or no row."""

FIND = select(_ROWS, (_C.expires_at <= _NOW).label("expired")).where(_THIS_VALUE)

_WANTED = (
    func.unnest(
        bindparam("slots", type_=ARRAY(SmallInteger)), bindparam("values", type_=ARRAY(Text))
    )
    .table_valued(column("slot", SmallInteger), column("value", Text), name="wanted")
    .render_derived(name="wanted")
)
FIND_MANY = (
    select(_C.value, _C.owner_slot, _C.owner_id)
    .select_from(_WANTED.join(_ROWS, (_C.slot == _WANTED.c.slot) & (_C.value == _WANTED.c.value)))
    .where(_C.kind == _parameter("at_kind", "kind"))
)
"""The rows of many values of one kind: a look into the primary key for each."""

TAKE_OVER = (
    update(_ROWS)
    .where(
        _THIS_VALUE,
        # the owner too: one claimant may take a value again for another owner
        _C.claimant == _parameter("seen_claimant", "claimant"),
        _C.owner_id == _parameter("seen_owner_id", "owner_id"),
        _C.state == _parameter("seen_state", "state"),
        or_(_C.state == ReservationState.CONFIRMED, _C.expires_at <= _NOW),
    )
    .values(_NEW_HOLDER)
    .returning(_ROWS)
)
"""Gives a row that is still as it was seen to a new claimant."""

CONFIRM = update(_ROWS).where(_THIS_VALUE, _SAME_OWNER).values(state=ReservationState.CONFIRMED)

RELEASE = delete(_ROWS).where(_THIS_VALUE, _SAME_OWNER, _PENDING)

WITHDRAW = delete(_ROWS).where(_THIS_VALUE, _SAME_OWNER, _C.state == ReservationState.CONFIRMED)

IS_BEFORE = select((bindparam("moment", type_=DateTime(timezone=True)) > _NOW).label("is_before"))
