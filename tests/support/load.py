"""A client under load: requests one after the other on kept-alive connections, and what came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import orjson


@dataclass
class Load:
    """What came back: answers by body, and whatever was no answer."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def more(self, count: int) -> None:
        """Wait for so many further answers."""
        wanted = self.answers.total() + count
        async with asyncio.timeout(60):
            while self.answers.total() < wanted and not self.failures:
                self._news.clear()
                await self._news.wait()

    def note(self, answer: str, seconds: float) -> None:
        self.answers[answer] += 1
        self.longest = max(self.longest, seconds)
        self._news.set()

    def fail(self, error: str) -> None:
        self.failures.append(error)
        self._news.set()


@asynccontextmanager
async def under_load(
    url: str, query: str, *, clients: int = 4, until_told_to_leave: bool = False
) -> AsyncGenerator[Load, None]:
    """Ask a router again and again inside the block.

    ``until_told_to_leave``: each client ends when an answer says that its connection is closed.
    """
    load = Load()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=clients), timeout=aiohttp.ClientTimeout(total=30)
    ) as session:
        tasks = [
            asyncio.create_task(_ask(session, f"{url}/graphql", query, load, until_told_to_leave))
            for _ in range(clients)
        ]
        try:
            yield load
            if until_told_to_leave:
                await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(
    session: aiohttp.ClientSession, url: str, query: str, load: Load, until_told: bool
) -> None:
    loop = asyncio.get_running_loop()
    body = orjson.dumps({"query": query})
    headers = {"content-type": "application/json"}
    while True:
        started = loop.time()
        try:
            async with session.post(url, data=body, headers=headers) as response:
                text = await response.text()
        except aiohttp.ClientError as error:
            load.fail(repr(error))
            return
        if response.status == 200:
            load.note(text, loop.time() - started)
        else:
            load.fail(f"{response.status} {text}")
        if until_told and response.headers.get("connection") == "close":
            return
