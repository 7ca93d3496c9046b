"""What a user has on record about the one who looks: read in the statement that reads the user.

A user's blocks and contacts lie on the user's own slot, so that two index look-ups beside the row
say it, however many users a statement reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import SmallInteger, Uuid, and_, bindparam, exists

from subgraphs.users.tables import blocks, contacts, users

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from shared.sharding import EntityId

__all__ = ["REGARD_COLUMNS", "Regard", "blocks_viewer", "regard", "viewer_parameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regard:
    """How a user stands to somebody who looks at them. The default is how to a stranger."""

    blocks: bool = False
    has_as_contact: bool = False


_VIEWER_SLOT = bindparam("viewer_slot", type_=SmallInteger)
_VIEWER_ID = bindparam("viewer_id", type_=Uuid)


def blocks_viewer() -> ColumnElement[bool]:
    """Whether the user of the row has blocked the viewer, as a condition."""
    return exists().where(
        and_(
            blocks.c.slot == users.c.slot,
            blocks.c.blocker_id == users.c.id,
            blocks.c.blocked_slot == _VIEWER_SLOT,
            blocks.c.blocked_id == _VIEWER_ID,
        )
    )


def _has_as_contact() -> ColumnElement[bool]:
    return exists().where(
        and_(
            contacts.c.slot == users.c.slot,
            contacts.c.owner_id == users.c.id,
            contacts.c.contact_slot == _VIEWER_SLOT,
            contacts.c.contact_id == _VIEWER_ID,
        )
    )


REGARD_COLUMNS = (blocks_viewer().label("blocks"), _has_as_contact().label("has_as_contact"))
"""Beside columns of `users`; the statement then needs ``viewer_parameters``."""


def viewer_parameters(viewer_id: EntityId | None) -> dict[str, object]:
    """The parameters of ``REGARD_COLUMNS``; None, a machine, is a stranger to everybody."""
    if viewer_id is None:
        return {"viewer_slot": None, "viewer_id": None}
    return {"viewer_slot": viewer_id.slot, "viewer_id": viewer_id.uuid}


def regard(row: Row[Any]) -> Regard:  # Any: the row has REGARD_COLUMNS
    """The regard in a row."""
    return Regard(blocks=row.blocks, has_as_contact=row.has_as_contact)
