"""The load process: reads what to do from stdin, measures, writes the result to stdout.

`started` on a line of its own tells that the warm-up is over, so that the CPU time of the services
can be read for just the measured seconds; the last line is the measurement.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time

import uvloop
from pydantic import TypeAdapter

from benchmarks.system.http_load import HttpLoad
from benchmarks.system.model import HttpRequest, SqlRequest, measure
from benchmarks.system.sql_load import SqlLoad


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a load process does; `url` is set for load over HTTP."""

    url: str | None
    http: list[HttpRequest]
    sql: list[SqlRequest]
    connections: int
    warm_up: float
    seconds: float


async def run(job: Job) -> None:
    """Connect, warm up, measure."""
    load: HttpLoad | SqlLoad
    if job.url is not None:
        load = HttpLoad(job.url, job.http, job.connections)
    else:
        load = SqlLoad(job.sql, job.connections)
    await load.open()
    await load.run(job.warm_up)
    print("started", flush=True)
    began = time.perf_counter()
    latencies, errors = await load.run(job.seconds)
    measurement = measure(latencies, errors, time.perf_counter() - began)
    print(json.dumps(dataclasses.asdict(measurement)), flush=True)
    await load.close()


if __name__ == "__main__":
    uvloop.run(run(TypeAdapter(Job).validate_json(sys.stdin.buffer.read())))
