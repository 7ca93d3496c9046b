"""The processes of the benchmark, and what they have used: CPU time, memory."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.system.cpu import cpu_seconds
from benchmarks.system.model import HttpRequest, Measurement
from benchmarks.system.worker import Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_START_SECONDS = 60.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running(
    *arguments: str, port: int, environment: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """Run ``python -m …`` until the block ends; yields its process id once it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await _listens(port):
                if process.returncode is not None:
                    raise SystemExit(f"{' '.join(arguments)} has ended")
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def load(
    url: str, query: str, server: int, *, connections: int, warm_up: float, seconds: float
) -> tuple[Measurement, float]:
    """Load a server from another process; returns what that saw, and the server's CPU time in ms
    per request.
    """
    requests = [HttpRequest(body=json.dumps({"query": query}), token="")]
    job = Job(
        url=url, http=requests, sql=[], connections=connections, warm_up=warm_up, seconds=seconds
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.system.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(dataclasses.asdict(job)).encode())
    process.stdin.close()
    if await process.stdout.readline() != b"started\n":
        raise SystemExit("the load process ended early")
    before = cpu_seconds([server])
    result = await process.stdout.readline()
    spent = cpu_seconds([server]) - before
    await process.wait()
    measurement = Measurement(**json.loads(result))
    if not measurement.requests or measurement.errors:
        raise SystemExit(f"{url}: {measurement.errors} errors in {measurement.requests} answers")
    return measurement, spent * 1000 / measurement.requests


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process; 0 on systems without ``/proc``."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
