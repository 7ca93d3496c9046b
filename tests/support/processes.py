"""Looking at processes from outside: which ones work on a folder, and waiting for their end."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path


def servers_of(folder: Path) -> list[int]:
    """Process ids of the postmasters and guardians whose command line names a path in `folder`."""
    wanted = os.fsencode(folder.resolve()) + b"/"
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        if any(word.startswith(wanted) for word in words) and b"-D" in words:
            found.append(int(entry.name))
    return found


async def wait_until_gone(folder: Path, *, timeout: float = 20.0) -> None:
    """Wait until no server works on `folder`; AssertionError when one still does at the end."""
    deadline = time.monotonic() + timeout
    while pids := servers_of(folder):
        assert time.monotonic() < deadline, f"still running: {pids}"
        await asyncio.sleep(0.02)  # other people's processes send us no event
