"""The history of a domain's migrations, rendered without a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.db.revisions import History, MigrationError

REVISION = '''"""A revision of the tests."""
from alembic import op
revision = "{revision}"
down_revision = {parent!r}

def upgrade():
    op.execute("SELECT '{revision} up 100%'")

def downgrade():
    op.execute("SELECT '{revision} down'")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    return tmp_path


def add(folder: Path, revision: str, parent: str | None) -> None:
    text = REVISION.format(revision=revision, parent=parent)
    (folder / "versions" / f"{revision}.py").write_text(text)


def test_revisions_stand_in_the_order_of_their_parents(folder: Path) -> None:
    add(folder, "b", "c")
    add(folder, "c", None)
    add(folder, "a", "b")
    history = History("notes", folder)

    assert history.revisions == ("c", "b", "a")
    assert history.head == "a"
    assert [history.position(r) for r in (None, "c", "b", "a", "z")] == [0, 1, 2, 3, None]


def test_a_step_is_the_sql_of_its_revision(folder: Path) -> None:
    add(folder, "1", None)
    add(folder, "2", "1")
    history = History("notes", folder)

    up = history.steps(0, 2)
    down = history.steps(2, 0)

    assert [step.statements for step in up] == [
        ("SELECT '1 up 100%';",),
        ("SELECT '2 up 100%';",),
    ]
    assert [(step.revision, step.after) for step in up] == [("1", "1"), ("2", "2")]
    assert [step.statements for step in down] == [("SELECT '2 down';",), ("SELECT '1 down';",)]
    assert [(step.revision, step.after) for step in down] == [("2", "1"), ("1", None)]
    assert history.steps(1, 1) == ()


@pytest.mark.parametrize(
    ("to", "start", "position"),
    [("head", 0, 2), ("base", 2, 0), ("1", 0, 1), ("+1", 1, 2), ("-1", 1, 0), ("-2", 2, 0)],
)
def test_targets(folder: Path, to: str, start: int, position: int) -> None:
    add(folder, "1", None)
    add(folder, "2", "1")

    assert History("notes", folder).target(to, start) == position


@pytest.mark.parametrize(("to", "start"), [("3", 0), ("+1", 2), ("-1", 0), ("", 0), ("heads", 0)])
def test_targets_that_do_not_exist(folder: Path, to: str, start: int) -> None:
    add(folder, "1", None)
    add(folder, "2", "1")

    with pytest.raises(MigrationError, match="there is no revision"):
        History("notes", folder).target(to, start)


def test_a_domain_without_migrations_has_no_head(folder: Path) -> None:
    history = History("notes", folder)

    assert history.head is None
    assert history.target("head", 0) == 0


def test_two_revisions_with_one_parent_are_refused(folder: Path) -> None:
    add(folder, "1", None)
    add(folder, "2a", "1")
    add(folder, "2b", "1")

    with pytest.raises(MigrationError, match="notes: 2a, 2b all come last"):
        _ = History("notes", folder).head


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "versions" / "broken.py").write_text("import nothing_of_that_name")

    with pytest.raises(MigrationError, match="nothing_of_that_name"):
        _ = History("notes", folder).head


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="there is no folder notes/versions"):
        _ = History("notes", tmp_path / "notes").head


def test_a_new_revision_needs_a_message(folder: Path) -> None:
    with pytest.raises(MigrationError, match="a message"):
        History("notes", folder).write_new(" !")


@pytest.mark.parametrize("domain", ["users", "posts"])
def test_the_projects_own_migrations_go_up_and_down(domain: str) -> None:
    history = History(domain)
    head = history.target("head", 0)

    assert head >= 1
    assert all(step.statements for step in history.steps(0, head) + history.steps(head, 0))
