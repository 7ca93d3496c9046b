"""`shardStats`: what operators see of the shards."""

from __future__ import annotations

from typing import Any

from shared.sharding import ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.users.conftest import Register
from tests.support.subgraphs import SubgraphClient, Tokens, new_id
from tests.support.waiting import until

STATS = """
{ shardStats { shard server role slots users bytes latencyMs lagSeconds connections } }
"""


async def test_each_server_tells_of_itself(
    users: SubgraphClient, register: Register, tokens: Tokens
) -> None:
    token = tokens.of(new_id(1), "ops:read")
    for number in range(6):
        (await register(f"counted_{number}")).ok()

    async def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await users(STATS, token=token)).ok()["shardStats"]
        return found

    async def counted() -> bool:  # PostgreSQL's statistics come a second after the commit
        return sum(int(stats["users"]) for stats in await read()) == 6

    await until(counted)
    stats = await read()
    assert [(one["shard"], one["role"], one["slots"]) for one in stats] == [
        ("shard-0", "PRIMARY", 128),
        ("shard-1", "PRIMARY", 128),
    ]
    for one in stats:
        assert one["bytes"] > 1_000_000
        assert 0 < one["latencyMs"] < 10_000
        assert one["lagSeconds"] is None
        assert one["connections"] >= 1
        assert "socialnet@" not in one["server"]


async def test_a_server_that_is_down_is_told_and_fails_nothing(
    users: SubgraphClient,
    tokens: Tokens,
    clusters: tuple[PostgresCluster, ...],
    users_shards: tuple[ShardConfig, ...],
) -> None:
    del users_shards
    await clusters[1].stop()
    try:
        answer = await users(STATS, token=tokens.of(new_id(1), "ops:read"))
    finally:
        await clusters[1].start()

    first, second = answer.ok()["shardStats"]
    assert first["role"] == "PRIMARY"
    assert second["role"] == "DOWN"
    assert [second[name] for name in ("users", "bytes", "latencyMs", "connections")] == [None] * 4


async def test_only_operators_may_ask(users: SubgraphClient, tokens: Tokens) -> None:
    assert (await users(STATS)).codes == ["UNAUTHENTICATED"]
    for scopes in ((), ("users:admin",)):
        answer = await users(STATS, token=tokens.of(new_id(1), *scopes))
        assert (answer.data, answer.codes) == (None, ["FORBIDDEN"])
