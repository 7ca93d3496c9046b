"""CPU time of processes, from `/proc`; zero on systems without it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far of these processes and all their descendants."""
    times, parents = _read_processes()
    return sum(times[pid] for pid in _descendants(pids, parents) if pid in times)


def _descendants(roots: Iterable[int], parents: Mapping[int, int]) -> set[int]:
    found = set(roots)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _read_processes() -> tuple[dict[int, float], dict[int, int]]:
    """CPU seconds (ended and awaited children included) and parent by process id."""
    times: dict[int, float] = {}
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue  # ended meanwhile
        fields = text.rpartition(")")[2].split()  # from the third field, the state, on
        pid = int(entry.parent.name)
        parents[pid] = int(fields[1])
        times[pid] = sum(map(int, fields[11:15])) / _TICKS_PER_SECOND
    return times, parents
