"""Reads the tables of ``matrix.md``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

MATRIX = Path(__file__).with_name("matrix.md")


class Role(StrEnum):
    """Who looks at X, in the order in which they act: X is last, who may end it all."""

    ANONYMOUS = "anonymous"
    STRANGER = "stranger"
    CONTACT = "contact"
    BLOCKED = "blocked"
    ADMIN = "admin"
    SELF = "self"


class Level(StrEnum):
    """What X's privacy settings are set to."""

    EVERYONE = "EVERYONE"
    CONTACTS = "CONTACTS"
    NOBODY = "NOBODY"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """Who sees a field of X; ``when`` None: at every level."""

    field: str
    when: Level | None
    instead: Any
    cells: dict[Role, str]


def read_ways() -> dict[str, dict[Role, str]]:
    """Way -> role -> `shows`, `lacks`, `ok` or a code."""
    ways = {row["way"]: {role: row[role] for role in Role} for row in _rows("Ways")}
    assert len(ways) == len(_rows("Ways")), "a way has two rows"
    return ways


def read_fields() -> list[FieldRow]:
    """The rows of the table of fields."""
    return [
        FieldRow(
            field=row["field"],
            when=Level(row["when"]) if row["when"] else None,
            instead=json.loads(row["instead"] or "null"),
            cells={role: row[role] for role in Role if role is not Role.ANONYMOUS},
        )
        for row in _rows("Fields")
    ]


def _rows(section: str) -> list[dict[str, str]]:
    text = MATRIX.read_text("utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, cells, strict=True)) for cells in body]
