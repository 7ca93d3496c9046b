"""The guardian, with a small Python program in the place of postgres."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from socialnet.embedded import guardian

_POLITE = "signal.signal(signal.SIGINT, lambda *_: os._exit(7))"
_SLOW = "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGQUIT, quit)"
_STUBBORN = (
    "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGQUIT, signal.SIG_IGN)"
)
_PROGRAM = """
import os, signal, sys
def quit(*_):
    os._exit(8)
{handlers}
os.write(2, b"ready\\n")
while True:
    signal.pause()
"""


@contextlib.contextmanager
def _guarded(handlers: str, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A guardian whose child has installed its signal handlers, and the child's process id."""
    child = [sys.executable, "-c", _PROGRAM.format(handlers=handlers)]
    with subprocess.Popen(
        [sys.executable, "-I", guardian.__file__, *options, "--", *child],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        pid = int(process.stdout.readline())
        assert process.stderr.readline() == b"ready\n"
        yield process, pid


def _send(process: subprocess.Popen[bytes], command: bytes) -> int:
    assert process.stdin is not None
    process.stdin.write(command + b"\n")
    process.stdin.flush()
    return process.wait(timeout=10)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("handlers", "command", "code"),
    [(_POLITE, b"fast", 7), (_SLOW, b"immediate", 8), (_STUBBORN, b"kill", 128 + signal.SIGKILL)],
    ids=["fast", "immediate", "kill"],
)
def test_command_stops_the_child_and_its_exit_code_is_passed_on(
    handlers: str, command: bytes, code: int
) -> None:
    with _guarded(handlers) as (process, _):
        assert _send(process, command) == code


def test_end_of_file_stops_the_child() -> None:
    with _guarded(_POLITE) as (process, pid):
        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(timeout=10) == 7
        assert not _exists(pid)


def test_terminate_stops_the_child_and_interrupt_is_ignored() -> None:
    with _guarded(_POLITE) as (process, pid):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        assert _exists(pid)
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 7


@pytest.mark.parametrize(
    ("handlers", "code"),
    [(_SLOW, 8), (_STUBBORN, 128 + signal.SIGKILL)],
    ids=["immediate", "kill"],
)
def test_child_that_does_not_stop_is_stopped_harder(handlers: str, code: int) -> None:
    with _guarded(handlers, "--patience=0.1") as (process, _):
        assert _send(process, b"fast") == code


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals the death of a parent")
def test_child_stops_when_the_guardian_is_killed() -> None:
    with _guarded(_POLITE) as (process, _):
        process.kill()
        process.wait(timeout=10)
        assert process.stderr is not None

        # the child holds the other end of this pipe: end-of-file means that it is gone
        assert process.stderr.read() == b""


def test_folders_are_removed_when_the_child_has_ended(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    (folder / "socket").touch()

    with _guarded(_POLITE, f"--remove={folder}") as (process, _):
        _send(process, b"fast")

        assert not folder.exists()


def test_program_that_cannot_be_started_is_reported() -> None:
    done = subprocess.run(
        [sys.executable, "-I", guardian.__file__, "--", "/nonexistent/postgres"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 127
    assert done.stdout.startswith("error: ")
    assert "/nonexistent/postgres" in done.stdout
