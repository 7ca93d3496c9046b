"""Giving a request up when its client has gone away."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest
from starlette.types import Message

from router.server import hangup
from router.server.hangup import ClientGoneError, HangupWatch


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_disconnect_cancels_the_block() -> None:
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            gone.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(ClientGoneError), HangupWatch(receive):
        await work()

    assert cancelled.is_set()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_somebody_elses_cancellation_goes_on() -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    started = asyncio.Event()

    async def work() -> None:
        with HangupWatch(receive):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(work())
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_quick_block_never_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hangup, "_QUIET_SECONDS", 0.01)
    asked = asyncio.Event()

    async def receive() -> Message:
        asked.set()
        raise AssertionError("unreachable")

    with HangupWatch(receive):
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked.wait(), timeout=0.05)  # long after it would have

    with HangupWatch(receive):
        await asyncio.wait_for(asked.wait(), timeout=5)  # a slow one does


@pytest.mark.usefixtures("no_collector")
async def test_a_slow_request_leaves_nothing_to_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hangup, "_QUIET_SECONDS", 0.0)

    class Connection:
        def __init__(self) -> None:
            self.asked = asyncio.Event()
            self.ended = asyncio.Event()

        async def receive(self) -> Message:
            self.asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.set()
            raise AssertionError("unreachable")

    async def request(connection: Connection) -> None:
        with HangupWatch(connection.receive):
            await connection.asked.wait()
        await connection.ended.wait()

    connection = Connection()
    gone = weakref.ref(connection)
    await request(connection)
    del connection
    await asyncio.sleep(0)  # the watching task itself ends one round after its coroutine

    assert gone() is None
