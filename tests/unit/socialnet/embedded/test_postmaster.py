"""Stale lock files of postgres: cleared when nobody serves the folder any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from socialnet.embedded import postmaster

_READY = "{pid}\n{folder}\n1700000000\n5432\n/tmp\n\n  0 0\nready   \n"


def test_ready_needs_the_right_process_and_status(tmp_path: Path) -> None:
    lock_file = tmp_path / "postmaster.pid"

    assert not postmaster.is_ready(tmp_path, 42)
    lock_file.write_text(_READY.format(pid=42, folder=tmp_path))
    assert postmaster.is_ready(tmp_path, 42)
    assert not postmaster.is_ready(tmp_path, 43)
    lock_file.write_text(_READY.format(pid=42, folder=tmp_path).replace("ready   ", "starting"))
    assert not postmaster.is_ready(tmp_path, 42)


def test_lock_file_of_a_reused_process_id_is_removed_and_the_process_left_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "postmaster.pid").write_text(_READY.format(pid=os.getpid(), folder=tmp_path))

    postmaster.clear_stale(tmp_path)

    assert not (tmp_path / "postmaster.pid").exists()


def test_orphaned_server_of_the_folder_is_stopped_first(tmp_path: Path) -> None:
    # given a process that looks like the postmaster of this folder
    script = "import sys; print('up', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, "-D", str(tmp_path), "-c", "x=y"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        assert orphan.stdout.readline() == b"up\n"
        (tmp_path / "postmaster.pid").write_text(_READY.format(pid=orphan.pid, folder=tmp_path))

        postmaster.clear_stale(tmp_path)

        assert not (tmp_path / "postmaster.pid").exists()
        assert orphan.wait(timeout=5) in {1, -signal.SIGINT}


def test_unreadable_lock_file_is_removed(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text("\n")

    postmaster.clear_stale(tmp_path)

    assert not (tmp_path / "postmaster.pid").exists()
