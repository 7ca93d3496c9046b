"""One statement for any number of IDs."""

from __future__ import annotations

from sqlalchemy import Column, Text
from sqlalchemy.engine import make_url

from shared.db.by_ids import id_parameters, select_by_ids
from shared.db.tables import domain_metadata, sharded_table
from shared.sharding import EntityId, Slot

NOTES = sharded_table("notes", domain_metadata(), Column("text", Text, nullable=False))
DIALECT = make_url("postgresql+asyncpg://").get_dialect()()


def test_pairs_of_slot_and_id_are_matched_as_pairs() -> None:
    statement = select_by_ids(NOTES, NOTES.c.id, NOTES.c.text)

    assert " ".join(str(statement.compile(dialect=DIALECT)).split()) == (
        "SELECT notes.id, notes.text FROM unnest($1::SMALLINT[], $2::UUID[]) AS wanted(slot, id)"
        " JOIN notes ON notes.slot = wanted.slot AND notes.id = wanted.id"
    )


def test_the_parameters_are_two_lists() -> None:
    ids = [EntityId.new(Slot(2)), EntityId.new(Slot(1))]

    assert id_parameters(ids) == {"slots": [2, 1], "ids": [ids[0].uuid, ids[1].uuid]}
    assert id_parameters([]) == {"slots": [], "ids": []}
