"""The benchmark's result as Markdown."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["FLOOR", "Cell", "Cells", "Options", "Result", "as_markdown"]

FLOOR = "floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long and how much; times in seconds, ``memory`` of the run that watches it (0: none)."""

    rounds: int
    seconds: float
    warm_up: float
    connections: int
    memory: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One server under one query in one round."""

    cpu_ms: float
    rate: float
    p50: float
    p99: float


Cells = dict[tuple[str, str], list[Cell]]  # by query and server


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that was measured.

    ``sizes`` are the bytes of each query's answer. ``cold`` is CPU time in ms: the first time, and
    later. ``memory`` is resident MB of a worker: when it has started, after the warm-up, and after
    each third of the load; empty if it was not watched.
    """

    cells: Cells
    sizes: dict[str, int]
    cold: tuple[float, float]
    memory: tuple[float, ...]


def as_markdown(options: Options, result: Result) -> str:
    """Return the whole report."""
    first, later = result.cold
    return "\n".join(
        [
            "# The router as a server",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python"
            f" {platform.python_version()}: one worker, {options.connections} connections, the"
            f" lowest of {options.rounds} rounds of {options.seconds:g} s. `floor` is a bare"
            " uvicorn that answers as many bytes. Load and subgraphs share the machine, so req/s"
            " and latencies say little; CPU time and its ratios do. `python -m benchmarks.router`.",
            "",
            "| query | answer KB | server | CPU ms/request | to the floor | req/s | p50 ms"
            " | p99 ms |",
            "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
            *(_row(result, query, server) for query, server in result.cells),
            "",
            f"Cold (parse, limits, validate, plan, compile of the heavy query): {first:.1f} ms the"
            f" first time in a process, {later:.1f} ms later (median).",
            *_memory(options, result.memory),
            "",
        ]
    )


def _row(result: Result, query: str, server: str) -> str:
    best = min(result.cells[query, server], key=lambda cell: cell.cpu_ms)
    floor = min(cell.cpu_ms for cell in result.cells[query, FLOOR])
    return (
        f"| {query} | {result.sizes[query] / 1000:.1f} | {server} | {best.cpu_ms:.3f} |"
        f" {best.cpu_ms / floor:.1f}x | {best.rate:,.0f} | {best.p50:.1f} | {best.p99:.1f} |"
    )


def _memory(options: Options, values: tuple[float, ...]) -> list[str]:
    if not values:
        return []
    start, warm, *rest = values
    later = ", ".join(f"{value:.0f}" for value in rest)
    return [
        "",
        f"Resident memory of a worker, de-duplication off: {start:.0f} MB when started, {warm:.0f}"
        f" after {options.warm_up:g} s of the heavy query, then {later} after each third of"
        f" {options.memory:g} s.",
    ]
