"""The benchmark's result as Markdown."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.system.model import Measurement

SERVICES = ("router", "users", "posts", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One operation at one number of connections; CPU in milliseconds per request."""

    operation: str
    connections: int
    system: Measurement
    system_cpu: Mapping[str, float]
    floor: Measurement
    floor_cpu: float


def as_markdown(lines: Sequence[Line], *, seconds: float, redis: str) -> str:
    """The whole report."""
    return "\n".join(
        [
            "# The system under load",
            "",
            "Made by `make bench` (see `benchmarks/README.md`); numbers depend on the machine, and"
            " load, services and databases share its cores.",
            "",
            f"- {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}),"
            f" {platform.system()} {platform.machine()}, Python {platform.python_version()}",
            f"- services mode, one process each; 2 shards (PostgreSQL 18, durable); {redis}",
            f"- {seconds:g} s per cell after a warm-up; latencies in ms",
            "",
            "## Through the router",
            "",
            *_system_table(lines),
            "",
            "CPU is in ms per request, of each process and of both PostgreSQL clusters together.",
            "",
            "## The floor: the same SQL on bare asyncpg",
            "",
            *_floor_table(lines),
            "",
        ]
    )


def _system_table(lines: Sequence[Line]) -> list[str]:
    rows = [
        [
            f"`{line.operation}`",
            str(line.connections),
            f"{line.system.rate:,.0f}",
            *_latencies(line.system),
            *(f"{line.system_cpu[service]:.2f}" for service in SERVICES),
            str(line.system.errors),
        ]
        for line in lines
    ]
    cpu = [f"CPU {service}" for service in SERVICES]
    return _table(["operation", "conns", "req/s", "p50", "p95", "p99", *cpu, "errors"], rows)


def _floor_table(lines: Sequence[Line]) -> list[str]:
    rows = [
        [
            f"`{line.operation}`",
            str(line.connections),
            f"{line.floor.rate:,.0f}",
            *_latencies(line.floor),
            f"{line.floor_cpu:.2f}",
            f"{line.floor.rate / line.system.rate:.1f}x" if line.system.requests else "",
        ]
        for line in lines
    ]
    titles = ["operation", "clients", "req/s", "p50", "p95", "p99", "CPU postgres", "to the system"]
    return _table(titles, rows)


def _latencies(measurement: Measurement) -> list[str]:
    return [f"{value:.2f}" for value in (measurement.p50, measurement.p95, measurement.p99)]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    alignment = ["---", *("---:" for _ in titles[1:])]
    return ["| " + " | ".join(cells) + " |" for cells in (titles, alignment, *rows)]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:  # noqa: PTH123 - not a path of ours
            names = [line.partition(":")[2].strip() for line in info if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"
