"""What `postmaster.pid` says, and how a stale one is cleared after a crash.

PostgreSQL removes a stale lock file itself when the process named in it is gone. It refuses to
start when the number has been given to another process of the same user since (after a reboot), and
it rightly refuses when the old postmaster still runs because its guardian was killed. We hold the
folder's lock at this point, so both can be told apart and settled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from socialnet.embedded.errors import PostgresError

_STATUS_LINE = 7  # LOCK_FILE_LINE_PM_STATUS of PostgreSQL, counted from zero
_ORPHAN_SECONDS = 15.0


def is_ready(data_dir: Path, pid: int) -> bool:
    """Whether the postmaster `pid` accepts connections, by its own lock file (as pg_ctl does)."""
    lines = _read_lines(data_dir)
    return (
        len(lines) > _STATUS_LINE
        and lines[0].strip() == str(pid)
        and lines[_STATUS_LINE].strip() == "ready"
    )


def clear_stale(data_dir: Path) -> None:
    """Remove a lock file that no server of this folder holds; stop an orphaned server first."""
    lines = _read_lines(data_dir)
    if not lines:
        return
    if lines[0].strip().isdecimal():
        pid = int(lines[0])
        if _serves(pid, data_dir):
            _stop_orphan(pid, data_dir)
    (data_dir / "postmaster.pid").unlink(missing_ok=True)


def _read_lines(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _serves(pid: int, data_dir: Path) -> bool:
    """Whether process `pid` is a postmaster that was started for `data_dir`."""
    command_line = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            words = command_line.read_bytes().split(b"\0")
        except OSError:
            return False
        return len(words) > 1 and os.fsencode(data_dir) in words[1:]
    listed = subprocess.run(  # noqa: S603 - constant command
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return f"-D {data_dir} " in listed.stdout


def _stop_orphan(pid: int, data_dir: Path) -> None:
    for stop in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, stop)
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while time.monotonic() < deadline:
            if not _serves(pid, data_dir):
                return
            time.sleep(0.02)
    message = f"An older PostgreSQL server (process {pid}) of {data_dir} does not stop."
    raise PostgresError(message)
