"""One connection to a browser's DevTools: commands out, answers and events in.

``chromium`` starts the browser and speaks through this. The protocol:
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

__all__ = ["BROWSER", "DevTools", "DevToolsError", "EventHandler", "Json"]

Json: TypeAlias = dict[str, Any]  # the protocol's messages are open-ended JSON objects
EventHandler: TypeAlias = "Callable[[str, Json], None]"

BROWSER: Final = ""  # the session of the browser itself; pages and workers have one each


class DevToolsError(Exception):
    """A command was refused, or the browser is gone."""


class DevTools:
    """Commands and events of all sessions over one socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._handlers: defaultdict[str, list[EventHandler]] = defaultdict(list)
        self._tasks: set[asyncio.Task[object]] = set()
        self._last_id = 0

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str) -> AsyncIterator[DevTools]:
        """A connection that is read from until the block ends."""
        async with connect(url, max_size=None, compression=None, proxy=None) as socket:
            devtools = cls(socket)
            devtools.spawn(devtools._read())
            try:
                yield devtools
            finally:
                await devtools._stop()

    async def call(self, method: str, session: str = BROWSER, **params: object) -> Json:
        """Sends one command and returns its result; ``DevToolsError`` when it is refused."""
        self._last_id += 1
        number = self._last_id
        message = {"id": number, "method": method, "params": params}
        if session != BROWSER:
            message["sessionId"] = session
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._socket.send(orjson.dumps(message).decode())
            return await answer
        except ConnectionClosed as closed:
            raise DevToolsError(f"{method}: the browser is gone") from closed
        finally:
            del self._answers[number]

    def on_event(self, session: str, handler: EventHandler) -> None:
        """Calls ``handler(method, params)`` for every later event of the session."""
        self._handlers[session].append(handler)

    def spawn(self, work: Coroutine[object, object, object]) -> None:
        """Runs commands that an event calls for; they end with the connection at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self) -> None:
        try:
            with suppress(ConnectionClosed):  # a browser that closes does not say goodbye
                async for text in self._socket:
                    self._dispatch(orjson.loads(text))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(DevToolsError("the browser is gone"))

    def _dispatch(self, message: Json) -> None:
        number = message.get("id")
        if number is None:
            for handler in self._handlers[message.get("sessionId", BROWSER)]:
                handler(message["method"], message["params"])
            return
        answer = self._answers.get(number)
        if answer is None or answer.done():
            return  # the caller was cancelled meanwhile
        if "error" in message:
            answer.set_exception(DevToolsError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])

    async def _stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
