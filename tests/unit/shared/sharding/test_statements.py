"""Counting statements per context."""

from __future__ import annotations

import asyncio

from prometheus_client import REGISTRY

from shared.sharding import ShardId, count_statements
from shared.sharding.statements import record_statement

FIRST, SECOND = ShardId("shard-0"), ShardId("shard-1")


def test_statements_are_counted_by_domain_and_shard() -> None:
    with count_statements() as counts:
        record_statement("users", SECOND)
        record_statement("users", FIRST)
        record_statement("users", SECOND)
        record_statement("posts", FIRST)

    assert counts.total == 4
    assert list(counts.of("users").items()) == [(FIRST, 1), (SECOND, 2)]
    assert counts.of("posts") == {FIRST: 1}
    assert counts.of("feed") == {}


def test_a_counted_request_is_a_sample_of_the_histogram() -> None:
    def samples() -> tuple[float, float]:
        name, labels = "socialnet_request_statements", {"domain": "tests"}
        count = REGISTRY.get_sample_value(f"{name}_count", labels) or 0
        total = REGISTRY.get_sample_value(f"{name}_sum", labels) or 0
        return count, total

    requests, statements = samples()
    with count_statements():
        record_statement("tests", FIRST)
        record_statement("tests", SECOND)

    assert samples() == (requests + 1, statements + 2)


def test_outside_a_count_nothing_is_counted() -> None:
    with count_statements() as counts:
        pass
    record_statement("users", FIRST)

    assert counts.total == 0


def test_an_inner_count_is_its_own() -> None:
    with count_statements() as outer:
        record_statement("users", FIRST)
        with count_statements() as inner:
            record_statement("users", FIRST)
            record_statement("users", FIRST)
        record_statement("users", FIRST)

    assert (outer.total, inner.total) == (2, 2)


async def test_tasks_count_for_the_context_that_started_them() -> None:
    async def request(statements: int) -> int:
        with count_statements() as counts:
            tasks = [asyncio.create_task(run()) for _ in range(statements)]
            await asyncio.gather(*tasks)
        return counts.total

    async def run() -> None:
        await asyncio.sleep(0)
        record_statement("users", FIRST)

    assert await asyncio.gather(*map(request, (1, 5, 3))) == [1, 5, 3]
