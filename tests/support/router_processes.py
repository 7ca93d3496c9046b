"""``python -m router serve`` as processes, and a look at its workers from outside."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@asynccontextmanager
async def router_process(
    supergraph: Path, *options: str, **environment: str
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str], None]:
    """Start a router on a free port; yields the process and its address.

    ``supergraph`` is an SDL file, or a ``supergraph.yaml``. The process's standard error is a pipe.
    """
    kind = "--config" if supergraph.suffix == ".yaml" else "--supergraph"
    # A router that is killed leaves its temporary files, so they are in a place of their own. Its
    # workers may outlive it by a moment, and write there.
    with TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router", "serve", kind, str(supergraph)),
            *("--port", "0", *options),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "ROUTER_ACCESS_LOG": "false", "TMPDIR": temporary, **environment},
        )
        assert process.stderr is not None
        try:
            async with asyncio.timeout(30):
                line = (await process.stderr.readline()).decode()
            found = re.fullmatch(r"Router listening on (http://\S+)/graphql\n", line)
            assert found is not None, line
            yield process, found[1]
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def stop(process: asyncio.subprocess.Process, number: signal.Signals) -> int:
    """Send a signal and return the exit code."""
    process.send_signal(number)
    async with asyncio.timeout(15):
        return await process.wait()


def workers_of(pid: int) -> list[int]:
    """The process ids of a router's workers."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in children if b"spawn_main" in _command_line(child)]


def _command_line(pid: int) -> bytes:
    """The arguments of a process; of one that has ended meanwhile, nothing."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def still_running(pids: list[int]) -> list[int]:
    """Those of some processes that have not ended."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]
