"""The table in README.md names every folder and every topic of composition cases, and no others."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def test_the_table_has_every_case() -> None:
    rows = [
        line for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith("| ")
    ]
    named = {name for row in rows for name in re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", row)}
    folders = {path.parent.name for path in FOLDER.glob("*/subgraphs")}
    topics = {path.stem for path in FOLDER.glob("composition/*.txt")}
    cells = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert folders | topics <= cells
    assert named <= folders | topics
