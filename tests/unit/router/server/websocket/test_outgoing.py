"""The bounded queue to one client."""

import asyncio

from starlette.types import Message

from router.server.websocket.outgoing import OutgoingQueue


class Client:
    """A client that takes messages only while ``reading`` is set."""

    def __init__(self) -> None:
        self.reading = asyncio.Event()
        self.reading.set()
        self.sent: list[Message] = []

    async def send(self, message: Message) -> None:
        await self.reading.wait()
        self.sent.append(message)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]


async def test_messages_are_written_in_order_and_the_close_frame_last() -> None:
    client = Client()
    queue = OutgoingQueue(client.send, limit=10_000, on_overflow=lambda: None)
    for number in range(5):
        queue.put(str(number))
    queue.close(1001, "Going away")
    queue.put("too late")

    await queue.write()

    assert client.texts == ["0", "1", "2", "3", "4"]
    assert client.sent[-1] == {"type": "websocket.close", "code": 1001, "reason": "Going away"}


async def test_more_than_may_wait_is_an_overflow() -> None:
    client = Client()
    client.reading.clear()
    overflows: list[str] = []
    queue = OutgoingQueue(client.send, limit=1000, on_overflow=lambda: overflows.append("full"))
    writer = asyncio.get_running_loop().create_task(queue.write())

    for _ in range(3):
        queue.put("x" * 300)
        await asyncio.sleep(0)
    assert overflows == []
    queue.put("x" * 300)

    assert overflows == ["full"]
    queue.close(4413, "slow", flush=False)
    client.reading.set()
    await writer
    assert client.texts == ["x" * 300]  # what was on its way; the rest gave way to the close frame
    assert client.sent[-1]["code"] == 4413


async def test_a_single_message_may_be_larger_than_the_bound() -> None:
    client = Client()
    overflows: list[str] = []
    queue = OutgoingQueue(client.send, limit=1000, on_overflow=lambda: overflows.append("full"))
    queue.put("x" * 5000)
    queue.close(1000, "")

    await queue.write()

    assert overflows == []
    assert client.texts == ["x" * 5000]


async def test_the_first_reason_counts_and_is_cut_to_what_a_frame_holds() -> None:
    client = Client()
    queue = OutgoingQueue(client.send, limit=1000, on_overflow=lambda: None)
    queue.close(4400, "ä" * 100)
    queue.close(1001, "later")

    await queue.write()

    [message] = client.sent
    assert message["code"] == 4400
    assert message["reason"] == "ä" * 61
