"""How PostgreSQL looks things up in the tables of relations when somebody has very many."""

from __future__ import annotations

import pytest

from shared.db.connect import connect
from shared.sharding import ShardConfig

RELATIONS = [
    ("contacts", "owner", "contact"),
    ("blocks", "blocker", "blocked"),
    ("following", "follower", "followee"),
    ("followers", "followee", "follower"),
]
# a thousand users with three rows each, and one with ten thousand
FILL = """
INSERT INTO {table} (slot, {owner}_id, {other}_slot, {other}_id, id, created_at)
SELECT n % 128, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, m % 256,
       gen_random_uuid(), gen_random_uuid(), now()
  FROM generate_series(1, 1000) AS n,
       LATERAL generate_series(1, CASE WHEN n = 1 THEN 10000 ELSE 3 END) AS m
"""
PAIR = """
PREPARE pair (smallint, uuid, smallint, uuid) AS
SELECT id FROM {table}
 WHERE slot = $1 AND {owner}_id = $2 AND {other}_slot = $3 AND {other}_id = $4
"""
USER = "'00000000-0000-7000-8000-000000000001'"


@pytest.mark.parametrize(("table", "owner", "other"), RELATIONS)
async def test_one_pair_is_looked_up_by_an_index_of_pairs(
    users_shards: tuple[ShardConfig, ...], table: str, owner: str, other: str
) -> None:
    names = {"table": table, "owner": owner, "other": other}
    connection = await connect(users_shards[0].primary, application_name="test")
    try:
        await connection.execute(FILL.format(**names))
        await connection.execute(f"ANALYZE {table}")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute(PAIR.format(**names))

        plan = await connection.fetch(
            f"EXPLAIN EXECUTE pair (1::smallint, {USER}, 1::smallint, {USER})"
        )
    finally:
        await connection.close()

    lines = [row[0] for row in plan]
    assert any(f"using {table}_" in line for line in lines), lines
    (condition,) = [line for line in lines if "Index Cond" in line]
    assert all(f"${number}" in condition for number in (1, 2, 3, 4)), lines
    assert not any("Filter" in line for line in lines), lines
