"""When a changed supergraph is read: whole, once, and the newest."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from router.server.source import SourceError, Stamps
from router.server.watch import SupergraphWatch

FILE = Path("supergraph.graphql")


class ScriptedSource:
    """A source whose file changes when the test says so; each look waits for nothing."""

    def __init__(self) -> None:
        self.version = 0
        self.broken = False
        self.defect = False
        self.reads = 0
        self.looks = 0
        self.on_look: Callable[[], None] = lambda: None
        self.read_stamps: Stamps = {FILE: (0, 0, 0, 0)}

    def read(self) -> str:
        self.reads += 1
        self.read_stamps = self._now()
        if self.defect:
            raise RuntimeError("a bug")
        if self.broken:
            raise SourceError("FIRST", ["FIRST: this", "SECOND: that"])
        return f"version {self.version}"

    def look(self) -> Stamps:
        self.looks += 1
        self.on_look()
        return self._now()

    def _now(self) -> Stamps:
        return {FILE: (0, 0, 0, self.version)}


class Target:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.release = asyncio.Event()
        self.release.set()
        self.running = 0

    async def reload(self, sdl: str) -> None:
        self.running += 1
        assert self.running == 1
        self.told.put_nowait(sdl)
        await self.release.wait()
        self.running -= 1

    async def refuse(self) -> None:
        self.told.put_nowait("refused")

    async def next(self) -> str:
        async with asyncio.timeout(10):
            return await self.told.get()


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
async def target() -> Target:
    return Target()


@asynccontextmanager
async def watching(
    source: ScriptedSource, target: Target, interval: float = 0.001
) -> AsyncGenerator[SupergraphWatch, None]:
    watch = SupergraphWatch(source, target, interval)
    task = asyncio.get_running_loop().create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_change_is_read_once(source: ScriptedSource, target: Target) -> None:
    async with watching(source, target):
        source.version = 1
        first = await target.next()
        source.version = 2
        second = await target.next()

    assert (first, second) == ("version 1", "version 2")
    assert source.reads == 2
    assert target.told.empty()


async def test_a_file_that_is_still_written_is_not_read(
    source: ScriptedSource, target: Target
) -> None:
    def write_on() -> None:
        if source.version < 20:
            source.version += 1

    source.on_look = write_on
    async with watching(source, target):
        told = await target.next()

    assert told == "version 20"
    assert source.reads == 1


async def test_the_newest_of_several_changes_wins_and_loads_do_not_overlap(
    source: ScriptedSource, target: Target
) -> None:
    target.release.clear()
    async with watching(source, target):
        source.version = 1
        assert await target.next() == "version 1"
        for version in (2, 3, 4):
            source.version = version
        target.release.set()
        told = await target.next()

    assert told == "version 4"
    assert source.reads == 2


async def test_a_broken_change_is_refused_once_and_the_repair_is_read(
    source: ScriptedSource, target: Target
) -> None:
    async with watching(source, target):
        source.version, source.broken = 1, True
        refused = await target.next()
        looks = source.looks
        async with asyncio.timeout(10):
            while source.looks < looks + 5:  # noqa: ASYNC110 - looks are counted in a thread
                await asyncio.sleep(0.001)
        source.broken, source.version = False, 2
        told = await target.next()

    assert (refused, told) == ("refused", "version 2")
    assert source.reads == 2


async def test_a_defect_does_not_end_the_watch(source: ScriptedSource, target: Target) -> None:
    async with watching(source, target):
        source.version, source.defect = 1, True
        refused = await target.next()
        source.defect, source.version = False, 2
        told = await target.next()

    assert (refused, told) == ("refused", "version 2")


@pytest.mark.parametrize("interval", [0.0, 60.0])
async def test_it_reads_at_once_when_told_to(
    source: ScriptedSource, target: Target, interval: float
) -> None:
    async with watching(source, target, interval) as watch:
        watch.trigger()
        told = await target.next()

    assert told == "version 0"
    assert source.looks == 0
