"""Loss of a primary under load: a standby is promoted, and nothing that was acknowledged is lost.

The real users subgraph on one shard of three servers, whose commits wait for one standby.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from shared.db import migrations
from shared.db.connect import connect
from shared.events import Delivery
from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.support.postgres import reachable_folder
from tests.support.replication import ReplicatedShard, ask, replicated_shard
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    running,
    shard_entries,
)
from tests.support.waiting import until

TOKENS = Tokens()
REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }"
LONGEST_ATTEMPT = 10.0  # seconds; the timeouts of one registration's statements, generously
RETRYABLE = {"SHARD_UNAVAILABLE", "TIMEOUT"}


class Heard:
    """A consumer that notes which users it was told of."""

    name = "heard"

    def __init__(self) -> None:
        self.users: set[str] = set()

    async def consume(self, delivery: Delivery) -> None:
        """Note the event's user."""
        if delivery.event.type == "user.registered":
            self.users.add(str(delivery.event.payload["userId"]))


@dataclass(slots=True)
class Writers:
    """Clients that register one user after the other, each until it is acknowledged."""

    users: SubgraphClient
    acknowledged: dict[str, str] = field(default_factory=dict)  # e-mail -> ID
    refusals: list[Answer] = field(default_factory=list)
    longest: float = 0.0
    stopped: bool = False

    async def run(self, name: str) -> None:
        number = 0
        while not self.stopped:
            number += 1
            await self._register(f"{name}_{number}")

    async def more(self, count: int) -> None:
        """Wait until so many more users are acknowledged."""
        goal = len(self.acknowledged) + count

        async def enough() -> bool:
            return len(self.acknowledged) >= goal

        await until(enough, seconds=60)

    async def _register(self, handle: str) -> None:
        entered = {
            "email": f"{handle}@example.com",
            "password": "correct horse 1",
            "handle": handle,
            "displayName": handle,
            "clientRequestId": str(uuid4()),
        }
        while True:
            started = time.monotonic()
            answer = await self.users(REGISTER, {"input": entered})
            self.longest = max(self.longest, time.monotonic() - started)
            if not answer.errors:
                self.acknowledged[entered["email"]] = answer.data["register"]["user"]["id"]
                return
            self.refusals.append(answer)
            await asyncio.sleep(0.05)  # as a client does before it tries again


@pytest.fixture
async def servers() -> AsyncIterator[ReplicatedShard]:
    with reachable_folder() as folder:
        async with replicated_shard(folder, standbys=2) as shard:
            await shard.primary.create_database("users")
            await migrations.up("users", [shard.config("users")])
            await shard.caught_up()
            yield shard


@contextlib.asynccontextmanager
async def running_users(config: ShardConfig, heard: Heard) -> AsyncIterator[SubgraphClient]:
    settings = UsersSettings(
        shards=shard_entries([config]),
        environment=Environment.DEVELOPMENT,
        statement_timeout=2.0,
        connect_timeout=1.0,
        health_interval=0.1,
    )
    app = create_app(settings, issuer=TOKENS.issuer, passwords=cheap_passwords(), consumers=[heard])
    async with running(app) as client:
        yield client


async def promoted(servers: ReplicatedShard) -> PostgresCluster:
    """Promote the standby that has most, as the runbook says."""
    received = "SELECT (pg_last_wal_receive_lsn() - '0/0')::int8"
    positions = [(await ask(server, received), server) for server in servers.standbys]
    chosen = max(positions, key=lambda pair: pair[0])[1]
    assert await ask(chosen, "SELECT pg_promote()")
    return chosen


async def rows(server: PostgresCluster, query: str) -> list[Any]:
    connection = await connect(server.url("users"), application_name="test")
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def test_no_acknowledged_write_is_lost_with_the_primary(servers: ReplicatedShard) -> None:
    heard = Heard()
    async with running_users(servers.config("users"), heard) as users:
        writers = Writers(users)
        tasks = [asyncio.create_task(writers.run(f"w{number}")) for number in range(6)]
        await writers.more(30)
        await servers.primary.kill()
        killed_at = time.monotonic()
        primary = await promoted(servers)
        await writers.more(1)
        outage = time.monotonic() - killed_at
        await writers.more(30)
        writers.stopped = True
        await asyncio.gather(*tasks)

        # every write that was acknowledged is there, once, and the relay has told of it
        stored = {row["email"]: row["id"] for row in await rows(primary, "SELECT * FROM users")}
        assert set(writers.acknowledged) <= set(stored)
        assert len(stored) == len(await rows(primary, "SELECT 1 FROM users"))
        ids = set(writers.acknowledged.values())

        async def told() -> bool:
            return ids <= heard.users

        await until(told)
        assert writers.refusals, "nobody noticed"
        for answer in writers.refusals:
            assert set(answer.codes) <= RETRYABLE
            assert all(error["extensions"]["retryable"] for error in answer.errors)
        assert writers.longest < LONGEST_ATTEMPT
        assert outage < LONGEST_ATTEMPT
        # so is every event; nothing was written twice
        events = await rows(primary, "SELECT key FROM outbox WHERE type = 'user.registered'")
        assert len(events) == len({row["key"] for row in events}) == len(stored)

        await _old_primary_is_left_alone(servers, writers)


async def _old_primary_is_left_alone(servers: ReplicatedShard, writers: Writers) -> None:
    """It comes back as what it was, and takes writes: who ignores timelines would find it first."""
    old = servers.primary
    await old.start()
    before = await rows(old, "SELECT email FROM users ORDER BY email")
    assert not await ask(old, "SELECT pg_is_in_recovery()")

    writers.stopped = False
    tasks = [asyncio.create_task(writers.run(f"x{number}")) for number in range(4)]
    async with running_users(servers.config("users"), Heard()) as fresh:  # one that knows nothing
        others = Writers(fresh)
        tasks += [asyncio.create_task(others.run(f"y{number}")) for number in range(4)]
        await writers.more(10)
        await others.more(10)
        writers.stopped = others.stopped = True
        await asyncio.gather(*tasks)
        pools = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name IN ('socialnet-users', 'socialnet-relay')"
        )
        assert await ask(old, pools) == 0

    assert await rows(old, "SELECT email FROM users ORDER BY email") == before


async def test_a_shard_without_a_primary_is_readable_and_refuses_writes_at_once(
    servers: ReplicatedShard,
) -> None:
    heard = Heard()
    async with running_users(servers.config("users"), heard) as users:
        writers = Writers(users)
        task = asyncio.create_task(writers.run("w"))
        await writers.more(3)
        await servers.primary.kill()

        async def refused() -> bool:
            return len(writers.refusals) >= 10

        await until(refused)
        writers_longest = writers.longest
        user_id = next(iter(writers.acknowledged.values()))
        query = "query ($id: ID!) { user(id: $id) { id } }"
        token = TOKENS.of(EntityId.parse(user_id))
        answer = await users(query, {"id": user_id}, token=token)
        assert answer.ok() == {"user": {"id": user_id}}
        await promoted(servers)
        await writers.more(1)
        writers.stopped = True
        await task

    assert writers_longest < LONGEST_ATTEMPT
    assert {code for answer in writers.refusals for code in answer.codes} <= RETRYABLE
