"""How a sharded table is declared: the conventions of docs/sharding.md as functions.

Every sharded table has ``slot smallint not null`` and ``PRIMARY KEY (slot, id)``; times are
``timestamptz``, UTC in and out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    DateTime,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
    func,
)

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

__all__ = ["domain_metadata", "sharded_table", "utc_timestamp"]

_NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def domain_metadata() -> MetaData:
    """Metadata of one domain; constraints get the names that PostgreSQL itself would give them."""
    return MetaData(naming_convention=_NAMING)


def utc_timestamp(name: str, *, nullable: bool = False, default_now: bool = False) -> Column[Any]:
    """A ``timestamptz`` column (microseconds); ``default_now`` lets the shard's clock fill it."""
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable,
        server_default=func.now() if default_now else None,
    )


def sharded_table(name: str, metadata: MetaData, *items: SchemaItem) -> Table:
    """A table with ``PRIMARY KEY (slot, id)``, then ``items`` (columns, constraints, indexes)."""
    return Table(
        name,
        metadata,
        Column("slot", SmallInteger, nullable=False, autoincrement=False),
        Column("id", Uuid, nullable=False),
        PrimaryKeyConstraint("slot", "id"),
        *items,
    )
