"""Follows survive what they must: a process killed between the two slots, a shard that is down."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import asyncpg
import httpx
import pytest

from shared.auth import SigningKey, TokenIssuer
from shared.sharding import EntityId, ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.users.conftest import REGISTER
from tests.integration.users.people import Meet, Person, meet_people
from tests.support.follows import locked, pairs_of
from tests.support.services import ServiceProcess, running
from tests.support.shard_rows import count_rows
from tests.support.subgraphs import Answer, SubgraphClient, Tokens
from tests.support.waiting import until

UserShards: TypeAlias = tuple[ShardConfig, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """The users subgraph as a process of its own, and its client."""

    service: ServiceProcess
    client: SubgraphClient
    tokens: Tokens

    async def meet(self, count: int) -> list[Person]:
        """Registers people, in turn on the first and on the second shard."""

        async def register(name: str) -> Answer:
            entered = {"email": f"{name}@example.com", "password": "correct horse 1"}
            entered |= {"handle": name, "displayName": name}
            return await self.client(REGISTER, {"input": entered})

        return await meet_people(self.client, register, self.tokens, count)

    async def kill(self) -> None:
        """End it with SIGKILL: it cleans nothing up."""
        self.service.process.kill()
        await self.service.process.wait()


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts the subgraph, again and again, on the same shards and with the same key."""

    shards: UserShards
    key: SigningKey
    key_file: Path

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[Running]:
        """Runs until the block ends, or is killed in it."""
        env = {
            "USERS_SHARDS": json.dumps([{"id": s.id, "primary": s.primary} for s in self.shards]),
            "USERS_ENVIRONMENT": "development",
            "USERS_SIGNING_KEY_FILE": str(self.key_file),
        }
        issuer = TokenIssuer(self.key, issuer="socialnet", audience="socialnet")
        async with running(["socialnet", "serve", "users", "--port", "0"], env) as service:
            client = SubgraphClient(service.base_url)
            try:
                yield Running(service, client, Tokens(issuer))
            finally:
                await client.close()


@pytest.fixture
def start(users_shards: UserShards, tmp_path: Path) -> Starter:
    key, file = SigningKey.generate(), tmp_path / "signing-key.pem"
    file.write_text(key.to_pem())
    return Starter(users_shards, key, file)


async def test_a_process_killed_between_the_two_slots_loses_no_follow(
    start: Starter, users_shards: UserShards
) -> None:
    async with start() as process:
        ada, bob = await process.meet(2)
        async with locked(users_shards, EntityId.parse(bob.id)):
            (await ada.follow(bob)).ok()  # acknowledged, and its other side has to wait
            await process.kill()
        assert await count_rows(users_shards, "following") == 1
        assert await count_rows(users_shards, "followers") == 0

    async with start():
        assert await pairs_of(users_shards) == {(ada.id, bob.id)}


async def test_a_process_killed_in_the_middle_of_a_storm_keeps_what_it_acknowledged(
    start: Starter, users_shards: UserShards
) -> None:
    acknowledged: set[tuple[str, str]] = set()

    async def follow_all(person: Person, others: Sequence[Person]) -> None:
        with contextlib.suppress(httpx.TransportError):  # the process has been killed
            for other in others:
                (await person.follow(other)).ok()
                acknowledged.add((person.id, other.id))

    async with start() as process:
        people = await process.meet(6)
        enough = len(people) * (len(people) - 1) // 2
        following = [
            asyncio.create_task(follow_all(person, [each for each in people if each != person]))
            for person in people
        ]
        await until(lambda: _has(acknowledged, enough))
        await process.kill()
        await asyncio.gather(*following)
    assert len(acknowledged) < len(people) * (len(people) - 1)

    async with start():
        assert await pairs_of(users_shards) >= acknowledged


async def _has(acknowledged: set[tuple[str, str]], number: int) -> bool:
    return len(acknowledged) >= number


async def test_what_a_shard_misses_while_it_is_down_comes_when_it_is_back(
    meet: Meet, users_shards: UserShards, clusters: Sequence[PostgresCluster]
) -> None:
    # given: people of the first shard follow one of the second
    ada, bob, eve = await meet(3)
    (await eve.follow(bob)).ok()
    assert await pairs_of(users_shards) == {(eve.id, bob.id)}

    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        async with locked(users_shards, EntityId.parse(bob.id)):
            (await ada.follow(bob)).ok()
            await clusters[1].stop("immediate")  # ends the transaction that holds bob, too
    assert not clusters[1].is_running
    answer = await eve.unfollow(bob)
    await clusters[1].start()

    # it is done, though bob could not be shown
    assert answer.codes == ["SHARD_UNAVAILABLE"]
    assert await pairs_of(users_shards) == {(ada.id, bob.id)}
