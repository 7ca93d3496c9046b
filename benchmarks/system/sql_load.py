"""The floor: the statements that the services run for an operation, straight on asyncpg.

Same SQL, same number of round trips, same number of clients; no GraphQL, no HTTP, no SQLAlchemy.
In JSON a UUID argument is `{"uuid": "..."}`, a moment `{"time": "..."}`, and `{"new": n}` a UUIDv7
made anew for each request, the same one wherever the number is the same.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from shared.db.connect import asyncpg_arguments
from shared.sharding.uuid7 import new_uuid7

if TYPE_CHECKING:
    from benchmarks.system.model import SqlRequest


class SqlLoad:
    """`clients` clients, each with a connection to every database, taking the requests in turn."""

    def __init__(self, requests: list[SqlRequest], clients: int) -> None:
        self._requests = [_Prepared(request) for request in requests]
        self._clients = clients
        self._connections: list[dict[str, Any]] = []
        self._next = 0

    async def open(self) -> None:
        """Connect."""
        urls = sorted({url for request in self._requests for url in request.urls})
        for _ in range(self._clients):
            self._connections.append(
                {url: await asyncpg.connect(**asyncpg_arguments(url)) for url in urls}
            )

    async def run(self, seconds: float) -> tuple[list[float], int]:
        """Keep all clients busy; latencies in seconds, and no errors (one would be raised)."""
        latencies: list[float] = []
        end = time.perf_counter() + seconds

        async def keep_busy(connections: dict[str, Any]) -> None:
            while (started := time.perf_counter()) < end:
                self._next = (self._next + 1) % len(self._requests)
                await self._requests[self._next].run(connections)
                latencies.append(time.perf_counter() - started)

        await asyncio.gather(*map(keep_busy, self._connections))
        return latencies, 0

    async def close(self) -> None:
        """Hang up."""
        for connections in self._connections:
            for connection in connections.values():
                await connection.close()


class _Prepared:
    """A request with its arguments decoded, but for what is new in every run."""

    def __init__(self, request: SqlRequest) -> None:
        self._transaction = request.transaction
        self._stages = [
            [(each.url, each.sql, [_decode(value) for value in each.arguments]) for each in stage]
            for stage in request.stages
        ]
        self.urls = {url for stage in self._stages for url, _, _ in stage}

    async def run(self, connections: dict[str, Any]) -> None:
        fresh: dict[int, UUID] = {}

        def arguments(values: list[object]) -> list[object]:
            return [
                fresh.setdefault(value.number, new_uuid7()) if isinstance(value, _New) else value
                for value in values
            ]

        if self._transaction:
            (stage,) = self._stages
            async with connections[stage[0][0]].transaction():
                for url, sql, values in stage:
                    await connections[url].fetch(sql, *arguments(values))
            return
        for stage in self._stages:
            await asyncio.gather(
                *(connections[url].fetch(sql, *arguments(values)) for url, sql, values in stage)
            )


class _New:
    """Stands for a UUID that is made in every run."""

    def __init__(self, number: int) -> None:
        self.number = number


def encode(value: object, new: dict[UUID, int]) -> object:
    """An argument in JSON form; UUIDs in `new` become fresh ones."""
    match value:
        case UUID():
            return {"new": new[value]} if value in new else {"uuid": str(value)}
        case datetime():
            return {"time": value.isoformat()}
        case list() | tuple():
            return [encode(each, new) for each in value]
        case _:
            return value


def _decode(value: Any) -> object:
    match value:
        case {"uuid": text}:
            return UUID(text)
        case {"time": text}:
            return datetime.fromisoformat(text)
        case {"new": number}:
            return _New(number)
        case list():
            return [_decode(each) for each in value]
        case _:
            return value
