"""The data folder: who may use it, what version it is of, and where its clusters are placed."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from socialnet.embedded.errors import FolderError
from socialnet.embedded.folder import open_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about root's postgres user")


def test_new_folder_gets_version_and_private_keys(public_tmp_path: Path) -> None:
    with open_folder(public_tmp_path / "data", system_folder=public_tmp_path / "system") as folder:
        written = json.loads((folder.path / "version.json").read_text())

        assert {key: written[key] for key in ("layout", "postgres", "shards", "slots")} == {
            "layout": 1,
            "postgres": 18,
            "shards": 2,
            "slots": 256,
        }
        assert stat.S_IMODE(folder.keys.stat().st_mode) == 0o700


def test_number_of_shards_is_kept_over_openings(public_tmp_path: Path) -> None:
    with open_folder(
        public_tmp_path / "data", shards=3, system_folder=public_tmp_path / "system"
    ) as first:
        pass
    with open_folder(public_tmp_path / "data", system_folder=public_tmp_path / "system") as second:
        assert second.version == first.version
        assert second.version.shards == 3


def test_another_number_of_shards_is_refused(public_tmp_path: Path) -> None:
    with open_folder(public_tmp_path / "data", shards=3, system_folder=public_tmp_path / "system"):
        pass

    with (
        pytest.raises(FolderError, match=r"has 3 shards, not 2\..*--reset"),
        open_folder(public_tmp_path / "data", shards=2, system_folder=public_tmp_path / "system"),
    ):
        pass


def test_second_opening_names_the_process_that_holds_the_folder(public_tmp_path: Path) -> None:
    with (
        open_folder(public_tmp_path / "data", system_folder=public_tmp_path / "system"),
        pytest.raises(FolderError, match=rf"already running .* \(process {os.getpid()}\)"),
        open_folder(public_tmp_path / "data", system_folder=public_tmp_path / "system"),
    ):
        pass


@pytest.mark.parametrize(("key", "value"), [("layout", 2), ("postgres", 19)])
def test_folder_of_a_newer_version_is_refused(public_tmp_path: Path, key: str, value: int) -> None:
    with open_folder(public_tmp_path, system_folder=public_tmp_path.with_name("unused")):
        pass
    file = public_tmp_path / "version.json"
    newer = json.loads(file.read_text()) | {key: value, "unheard_of": True}
    file.write_text(json.dumps(newer))

    with (
        pytest.raises(FolderError, match="written by a newer version of socialnet"),
        open_folder(public_tmp_path, system_folder=public_tmp_path.with_name("unused")),
    ):
        pass

    assert json.loads(file.read_text()) == newer


def test_unreadable_version_is_refused(public_tmp_path: Path) -> None:
    (public_tmp_path / "version.json").write_text("{")

    with pytest.raises(FolderError, match=r"cannot be read"), open_folder(public_tmp_path):
        pass


def test_folder_of_something_else_is_refused_even_for_reset(public_tmp_path: Path) -> None:
    (public_tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(FolderError, match=r"contains 'thesis.txt'"), open_folder(public_tmp_path):
        pass
    with (
        pytest.raises(FolderError, match=r"contains 'thesis.txt'"),
        open_folder(public_tmp_path, reset=True),
    ):
        pass

    assert (public_tmp_path / "thesis.txt").read_text() == "years of work"


def test_reset_begins_anew(public_tmp_path: Path) -> None:
    path, system = public_tmp_path / "data", public_tmp_path / "system"
    with open_folder(path, shards=3, system_folder=system) as before:
        (before.shards / "old").mkdir()
        (before.keys / "old").touch()

    with open_folder(path, reset=True, system_folder=system) as after:
        assert after.version.shards == 2
        assert after.version.id != before.version.id
        assert list(after.shards.iterdir()) == []
        assert list(after.keys.iterdir()) == []
    assert not (system / before.version.id).exists()


@as_root
def test_clusters_move_out_of_a_private_folder_as_root(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    with open_folder(private / "data", system_folder=Path("/var/lib/socialnet")) as folder:
        assert folder.shards.is_symlink()
        assert folder.shard(0) == Path("/var/lib/socialnet", folder.version.id, "shards/shard-0")
        kept = folder.shards.resolve()
    with open_folder(private / "data", system_folder=Path("/var/lib/socialnet")) as folder:
        assert folder.shards.resolve() == kept
    with open_folder(private / "data", reset=True) as folder:
        assert not kept.exists()
        renewed = folder.shards.resolve()
    renewed.rmdir()
    renewed.parent.rmdir()

    assert stat.S_IMODE(private.stat().st_mode) == 0o700
