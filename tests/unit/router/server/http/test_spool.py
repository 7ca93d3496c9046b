"""Where files wait: in memory, then on disk, read by several at a time, gone at the end."""

from __future__ import annotations

import asyncio
from tempfile import TemporaryFile
from typing import Any

import pytest

from router.server.http import spool as spool_module
from router.server.http.spool import Spool


async def spool_of(data: bytes, memory: int) -> Spool:
    spool = Spool(memory)
    for start in range(0, len(data), 7):
        await spool.append(data[start : start + 7])
    return spool


@pytest.mark.parametrize("memory", [0, 99, 100, 101])
async def test_gives_back_what_it_got(memory: int) -> None:
    data = bytes(range(100))
    spool = await spool_of(data, memory)

    assert spool.size == 100
    assert await spool.read(0, 1_000) == data
    assert await spool.read(90, 1_000) == data[90:]
    assert await spool.read(100, 10) == b""
    parts = await asyncio.gather(*(spool.read(start, 10) for start in range(0, 100, 10)))
    assert b"".join(parts) == data
    spool.close()
    spool.close()


@pytest.mark.parametrize(("memory", "files"), [(100, 0), (99, 1)])
async def test_only_large_files_go_to_disk(
    memory: int, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def counting(**options: Any) -> Any:
        opened.append(TemporaryFile(**options))  # noqa: SIM115 - closed by the spool
        return opened[-1]

    monkeypatch.setattr(spool_module, "TemporaryFile", counting)
    spool = await spool_of(bytes(100), memory)
    assert len(opened) == files

    spool.close()
    assert all(file.closed for file in opened)
