"""A real Redis server for tests, on a port of its own, that ends with the test process."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sys
import tempfile
import threading
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator

import pytest
from fakeredis import TcpFakeServer
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ConnectionError  # noqa: A004 - theirs

from socialnet.embedded import guardian

_START_SECONDS = 10.0


@contextlib.asynccontextmanager
async def running_redis() -> AsyncIterator[str]:
    """Start a Redis server without persistence and give its URL; skips when there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on PATH")
    with tempfile.TemporaryDirectory(prefix="socialnet-redis-") as folder:
        port = _free_port()
        options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
        options += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        command = [sys.executable, "-I", guardian.__file__, "--", program, *options]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            url = f"redis://127.0.0.1:{port}/0"
            await _wait_until_ready(url, process)
            yield url
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()


@contextlib.contextmanager
def emulated_redis() -> Iterator[str]:
    """The URL of an emulation over TCP in a thread, for where no `redis-server` is installed."""
    with TcpFakeServer(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join()


async def _wait_until_ready(url: str, process: Process) -> None:
    deadline = time.monotonic() + _START_SECONDS
    async with Redis.from_url(url) as client:
        while True:
            try:
                await client.ping()
            except (ConnectionError, BusyLoadingError):
                assert process.returncode is None, "redis-server did not start"
                assert time.monotonic() < deadline, "redis-server does not answer"
                await asyncio.sleep(0.02)  # it has no other sign of readiness than answering
            else:
                return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
