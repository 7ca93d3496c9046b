"""A shard that is down costs only what lives there, and is used again when it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from socialnet.embedded.postgres import PostgresCluster
from tests.e2e.conftest import System
from tests.e2e.people import Person, ask, new_person
from tests.support.postgres import reachable_folder, running_clusters
from tests.support.redis import running_redis
from tests.support.services import migrated_shards, running_services

pytestmark = [pytest.mark.redis, pytest.mark.xdist_group("e2e-shard-loss")]

USERS = "query ($ids: [ID!]!) { users(ids: $ids) { handle } }"


@pytest.fixture(scope="module")
async def breakable() -> AsyncIterator[tuple[System, tuple[PostgresCluster, ...]]]:
    """The services over clusters that a test may stop."""
    with reachable_folder() as folder:
        async with running_redis() as redis_url, running_clusters(folder) as clusters:
            shards = await migrated_shards(clusters)
            env = {f"{name}_ENVIRONMENT": "development" for name in ("USERS", "POSTS", "ROUTER")}
            async with running_services(
                shards, folder=folder, redis_url=redis_url, env=env
            ) as services:
                yield System(mode="services", base_url=services.router.base_url), clusters


def _is_on_first_shard(person: Person) -> bool:
    return int(person.id.split("-")[0]) < 128


async def _people_on_both_shards(system: System, stack: AsyncExitStack) -> list[Person]:
    people: list[Person] = []
    while len({_is_on_first_shard(person) for person in people}) < 2 or len(people) < 6:
        people.append(await stack.enter_async_context(new_person(system)))
    return people


async def test_a_stopped_shard_fails_only_its_own_users_and_recovers(
    breakable: tuple[System, tuple[PostgresCluster, ...]],
) -> None:
    system, clusters = breakable
    async with AsyncExitStack() as stack:
        people = await _people_on_both_shards(system, stack)
        asking = next(person for person in people if _is_on_first_shard(person))
        ids = {"ids": [person.id for person in people]}
        everybody = [{"handle": person.handle} for person in people]
        assert (await ask(system, USERS, ids, asking.token))["data"]["users"] == everybody

        await clusters[1].stop("immediate")
        try:
            answer = await ask(system, USERS, ids, asking.token)
        finally:
            await clusters[1].start()

        lost = [index for index, person in enumerate(people) if not _is_on_first_shard(person)]
        assert answer["data"]["users"] == [
            None if index in lost else user for index, user in enumerate(everybody)
        ]
        assert [error["path"] for error in answer["errors"]] == [["users", i] for i in lost]
        for error in answer["errors"]:
            assert error["extensions"]["code"] == "SHARD_UNAVAILABLE"
            assert "postgres" not in error["message"].lower()

        recovered = await ask(system, USERS, ids, asking.token)

        assert "errors" not in recovered
        assert recovered["data"]["users"] == everybody


async def test_a_write_to_a_stopped_shard_is_refused_and_nothing_is_half_written(
    breakable: tuple[System, tuple[PostgresCluster, ...]],
) -> None:
    system, clusters = breakable
    async with AsyncExitStack() as stack:
        people = await _people_on_both_shards(system, stack)
        author = next(person for person in people if not _is_on_first_shard(person))
        create = 'mutation { createPost(input: {text: "Lost?"}) { id } }'

        await clusters[1].stop("immediate")
        try:
            refused = await ask(system, create, token=author.token)
        finally:
            await clusters[1].start()

        assert refused["data"] is None
        assert [e["extensions"]["code"] for e in refused["errors"]] == ["SHARD_UNAVAILABLE"]
        count = await ask(system, "{ me { postCount } }", token=author.token)
        assert count["data"]["me"]["postCount"] == 0
