from __future__ import annotations

from pathlib import Path

import pytest

from socialnet.schema_export import find_stale, generate_schemas, write_schemas

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return dict(generate_schemas(ROOT / "supergraph.yaml"))


def test_the_checked_in_schemas_are_current(generated: dict[str, str]) -> None:
    assert find_stale(ROOT / "schema", generated) == {}


def test_events_have_schemas_among_the_generated_files(generated: dict[str, str]) -> None:
    assert {"events/user.registered.v1.json", "events/post.published.v1.json"} <= generated.keys()


def test_stale_files_are_written_and_schemas_of_former_events_removed(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events/former.json").write_text("former\n")
    (tmp_path / "events/changed.json").write_text("old\n")
    wanted = {"events/changed.json": "new\n", "events/missing.json": "x\n", "api.graphql": "y\n"}

    stale = find_stale(tmp_path, wanted)
    write_schemas(tmp_path, stale)

    assert set(stale) == {*wanted, "events/former.json"}
    assert "-former" in stale["events/former.json"].diff
    assert "+new" in stale["events/changed.json"].diff
    assert {
        file.relative_to(tmp_path).as_posix(): file.read_text()
        for file in tmp_path.rglob("*")
        if file.is_file()
    } == wanted
    assert find_stale(tmp_path, wanted) == {}
