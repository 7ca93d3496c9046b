from __future__ import annotations

import asyncio
from collections import defaultdict

from aiokafka import ConsumerRecord

from shared.events.kafka.partition import PartitionWorker
from tests.support.waiting import until


class Work:
    """Handles a message when it is told to."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.allowed: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)

    async def handle(self, record: ConsumerRecord) -> None:
        self.begun.append(record.offset)
        await self.allowed[record.offset].wait()
        self.done.append(record.offset)

    async def allow(self, *offsets: int) -> None:
        for offset in offsets:
            self.allowed[offset].set()

        async def done() -> bool:
            return set(offsets) <= set(self.done)

        await until(done)


def _record(offset: int, key: bytes | None) -> ConsumerRecord:
    return ConsumerRecord(
        topic="things",
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=b"",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(),
    )


def _worker(work: Work, *, window: int = 100) -> tuple[PartitionWorker, list[str]]:
    rooms: list[str] = []
    return (
        PartitionWorker(work.handle, window=window, on_room=lambda: rooms.append("room")),
        rooms,
    )


async def _begun(work: Work, *offsets: int) -> None:
    async def begun() -> bool:
        return sorted(work.begun) == sorted(offsets)

    await until(begun)


async def test_messages_with_one_key_are_handled_one_after_the_other() -> None:
    work = Work()
    worker, _ = _worker(work)

    worker.take([_record(0, b"ada"), _record(1, b"bob"), _record(2, b"ada")])
    await _begun(work, 0, 1)
    await work.allow(0)
    await _begun(work, 0, 1, 2)
    await work.allow(1, 2)

    assert work.done == [0, 1, 2]


async def test_the_position_is_the_first_message_not_finished() -> None:
    work = Work()
    worker, _ = _worker(work)
    assert worker.position is None

    worker.take([_record(10, b"ada"), _record(11, b"bob"), _record(15, b"eve")])
    positions = [worker.position]
    for offset in (11, 10, 15):
        await work.allow(offset)
        positions.append(worker.position)

    # 12 to 14 never come: a compacted topic, or marks of transactions
    assert positions == [10, 10, 15, 16]


async def test_a_full_partition_says_when_there_is_room_again() -> None:
    work = Work()
    worker, rooms = _worker(work, window=4)
    full = []

    worker.take([_record(offset, str(offset).encode()) for offset in range(3)])
    full.append(worker.is_full)
    worker.take([_record(offset, str(offset).encode()) for offset in range(3, 6)])
    full.append(worker.is_full)
    await work.allow(0, 1, 2)
    assert rooms == []
    await work.allow(3)
    full.append(worker.is_full)
    assert rooms == ["room"]
    await work.allow(4, 5)

    assert full == [False, True, False]
    assert rooms == ["room"]


async def test_stopping_finishes_what_is_under_way_and_begins_nothing() -> None:
    work = Work()
    worker, rooms = _worker(work, window=2)
    worker.take([_record(0, b"ada"), _record(1, b"ada")])
    await _begun(work, 0)

    stopping = asyncio.create_task(worker.stop(grace=20))
    await asyncio.sleep(0)
    await work.allow(0)
    await stopping

    assert work.begun == [0]
    assert worker.position == 1
    assert rooms == []


async def test_stopping_cancels_what_takes_too_long() -> None:
    work = Work()
    worker, _ = _worker(work)
    worker.take([_record(0, b"ada"), _record(1, b"bob")])
    await _begun(work, 0, 1)
    await work.allow(1)

    await worker.stop(grace=0.01)

    assert work.done == [1]
    assert worker.position == 0
