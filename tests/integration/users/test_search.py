"""Searching users on two shards: what is found, in which order, and by which indexes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from shared.db.connect import connect
from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig, Slot
from socialnet.embedded.postgres import PostgresCluster
from subgraphs.users.app import create_app
from subgraphs.users.settings import UsersSettings
from tests.integration.users.conftest import Register
from tests.support.shard_rows import on_every_shard
from tests.support.subgraphs import (
    SubgraphClient,
    Tokens,
    cheap_passwords,
    new_id,
    running,
    shard_entries,
)

SEARCH = """
query ($query: String!, $first: Int, $after: String) {
  searchUsers(query: $query, first: $first, after: $after) {
    nodes { handle } pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture
def token(tokens: Tokens) -> str:
    return tokens.of(new_id(0))


@pytest.fixture
async def people(register: Register) -> None:
    for handle, name in [
        ("ann", "Zoë Lind"),
        ("anna", "Anna Karenina"),
        ("leo_t", "Annabel Lee"),
        ("maria", "Ann-Marie O’Neil"),
        ("yamada", "山田太郎"),
        ("nobody_1", "Éva Ångström"),
    ]:
        (await register(handle, displayName=name)).ok()


async def _found(users: SubgraphClient, query: str, token: str, **more: Any) -> list[str]:
    answer = (await users(SEARCH, {"query": query, **more}, token=token)).ok()
    return [node["handle"] for node in answer["searchUsers"]["nodes"]]


@pytest.mark.usefixtures("people")
async def test_the_handle_comes_first_then_its_beginning_then_names(
    users: SubgraphClient, token: str
) -> None:
    assert await _found(users, "ann", token) == ["ann", "anna", "maria", "leo_t"]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("query", "handles"),
    [
        pytest.param("@ANN", ["ann", "anna", "maria", "leo_t"], id="as it is mentioned"),
        pytest.param("eva angstrom", ["nobody_1"], id="without accents"),
        pytest.param("ÉVA", ["nobody_1"], id="with accents, in capitals"),
        pytest.param("oneil", [], id="punctuation ends a word"),
        pytest.param("o'neil ann", ["maria"], id="words in any order"),
        pytest.param("ann lee", ["leo_t"], id="beginnings of all words"),
        pytest.param("ann nobody", [], id="every word counts"),
        pytest.param("山", ["yamada"], id="one character where words are short"),
        pytest.param("leo_", ["leo_t"], id="an underscore is no wildcard"),
        pytest.param("_", None, id="a wildcard alone"),
        pytest.param("nobody%1", [], id="a percent sign is no wildcard"),
        pytest.param("Ann & !Lee:* | (", ["leo_t"], id="the syntax of tsquery"),
        pytest.param("ann' | 'zoe", [], id="quotes"),
        pytest.param("ann\\", ["maria", "anna", "leo_t"], id="a backslash"),
        pytest.param("\u202eann", ["maria", "anna", "leo_t"], id="right to left"),
        pytest.param("a", None, id="one letter"),
        pytest.param("  ", None, id="nothing"),
        pytest.param("!?…", None, id="punctuation only"),
        pytest.param("👩‍💻", None, id="emoji only"),
        pytest.param("ann\x00", ["maria", "anna", "leo_t"], id="a null character"),
        pytest.param("x" * 1_000_000, None, id="a megabyte"),
    ],
)
async def test_whatever_is_typed_finds_names_or_is_refused(
    users: SubgraphClient, token: str, query: str, handles: list[str] | None
) -> None:
    answer = await users(SEARCH, {"query": query}, token=token)

    if handles is None:
        assert answer.codes == ["BAD_USER_INPUT"]
        assert answer.errors[0]["extensions"]["field"] == "query"
        assert answer.extensions["sql"]["statements"] == 0
    else:
        assert [n["handle"] for n in answer.ok()["searchUsers"]["nodes"]] == handles


@pytest.mark.usefixtures("people")
async def test_a_search_costs_one_statement_per_shard(users: SubgraphClient, token: str) -> None:
    answer = await users(SEARCH, {"query": "ann"}, token=token)

    assert answer.statements == {"shard-0": 1, "shard-1": 1}


@pytest.mark.usefixtures("people")
async def test_pages_go_on_where_the_last_ended(users: SubgraphClient, token: str) -> None:
    seen: list[str] = []
    after = None
    while True:
        variables = {"query": "ann", "first": 1, "after": after}
        page = (await users(SEARCH, variables, token=token)).ok()["searchUsers"]
        seen += [node["handle"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen == ["ann", "anna", "maria", "leo_t"]
    other = await users(SEARCH, {"query": "anna", "after": after}, token=token)
    assert other.codes == ["BAD_USER_INPUT"]


@pytest.mark.usefixtures("people")
async def test_among_equals_who_is_followed_most_comes_first(
    users: SubgraphClient, users_shards: tuple[ShardConfig, ...], token: str
) -> None:
    sql = "UPDATE users SET follower_count = 7 WHERE handle = 'leo_t'"
    await on_every_shard(users_shards, sql)

    assert await _found(users, "anna", token) == ["anna", "leo_t"]
    assert await _found(users, "le", token) == ["leo_t"]
    await on_every_shard(users_shards, "UPDATE users SET search_name = 'annabel'")
    assert (await _found(users, "annab", token))[0] == "leo_t"


@pytest.mark.usefixtures("people")
async def test_who_is_gone_or_has_blocked_the_viewer_is_not_found(
    users: SubgraphClient,
    users_shards: tuple[ShardConfig, ...],
    register: Register,
    tokens: Tokens,
) -> None:
    viewer = new_id(200)
    for handle, status in (("anna", "DEACTIVATED"), ("maria", "DELETED")):
        sql = "UPDATE users SET status = $2 WHERE handle = $1"
        await on_every_shard(users_shards, sql, handle, status)
    blocker = await on_every_shard(users_shards, "SELECT slot, id FROM users WHERE handle = 'ann'")
    home = EntityId(Slot(blocker[0]["slot"]), UUID(str(blocker[0]["id"])))
    await on_every_shard(
        [users_shards[home.slot // 128]],
        "INSERT INTO blocks (slot, blocker_id, blocked_slot, blocked_id, id, created_at)"
        " VALUES ($1, $2, $3, $4, $5, now())",
        home.slot,
        home.uuid,
        viewer.slot,
        viewer.uuid,
        new_id(0).uuid,
    )

    assert await _found(users, "ann", tokens.of(viewer)) == ["leo_t"]
    assert await _found(users, "ann", tokens.of(new_id(0))) == ["ann", "leo_t"]


@pytest.mark.usefixtures("people")
async def test_a_changed_name_is_found_by_the_new_one(
    users: SubgraphClient, register: Register
) -> None:
    own = (await register("newcomer", displayName="First Name")).ok()["register"]["accessToken"]
    await users('mutation { updateProfile(input: {displayName: "Second"}) { id } }', token=own)

    assert await _found(users, "second", own) == ["newcomer"]
    assert await _found(users, "first", own) == []


@pytest.mark.usefixtures("people")
async def test_with_one_shard_down_the_others_are_searched(
    users: SubgraphClient, token: str, clusters: Sequence[PostgresCluster]
) -> None:
    await clusters[1].stop("immediate")
    try:
        answer = await users(SEARCH, {"query": "ann"}, token=token)
    finally:
        await clusters[1].start()

    assert answer.codes == ["SHARD_UNAVAILABLE"]
    assert answer.errors[0]["path"] == ["searchUsers"]
    assert answer.data["searchUsers"]["pageInfo"]["hasNextPage"]


async def test_a_page_that_lost_all_its_rows_is_asked_for_again(
    users: SubgraphClient, register: Register, token: str, clusters: Sequence[PostgresCluster]
) -> None:
    registered = [(await register(f"page{n}")).ok()["register"]["user"]["id"] for n in range(12)]
    count = len(registered)
    cursor = None
    for _ in range(count - 1):  # only the last one is left, on either shard
        variables = {"query": "page", "first": 1, "after": cursor}
        page = (await users(SEARCH, variables, token=token)).ok()["searchUsers"]
        cursor = page["pageInfo"]["endCursor"]
    last = (await users(SEARCH, {"query": "page", "after": cursor}, token=token)).ok()
    (handle,) = [node["handle"] for node in last["searchUsers"]["nodes"]]
    query = "query ($h: String!) { userByHandle(handle: $h) { id } }"
    found = await users(query, {"h": handle}, token=token)
    home = EntityId.parse(found.ok()["userByHandle"]["id"]).slot // 128

    await clusters[home].stop("immediate")
    try:
        broken = await users(SEARCH, {"query": "page", "after": cursor}, token=token)
    finally:
        await clusters[home].start()

    assert broken.data["searchUsers"]["nodes"] == []
    assert broken.data["searchUsers"]["pageInfo"] == {"hasNextPage": True, "endCursor": cursor}


async def test_nobody_searches_without_signing_in(users: SubgraphClient) -> None:
    answer = await users(SEARCH, {"query": "ann"})

    assert answer.codes == ["UNAUTHENTICATED"]


@pytest.fixture
async def limited(
    users_shards: tuple[ShardConfig, ...], tokens: Tokens
) -> AsyncIterator[SubgraphClient]:
    """The subgraph with a small limit."""
    settings = UsersSettings(
        shards=shard_entries(users_shards), environment=Environment.TEST, limit_search="2/60"
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords())
    async with running(app) as client:
        yield client


async def test_nobody_searches_all_the_time(limited: SubgraphClient, tokens: Tokens) -> None:
    mine, other = tokens.of(new_id(0)), tokens.of(new_id(1))
    for _ in range(2):
        (await limited(SEARCH, {"query": "ann"}, token=mine)).ok()

    refused = await limited(SEARCH, {"query": "ann"}, token=mine)

    assert refused.codes == ["RATE_LIMITED"]
    assert refused.errors[0]["extensions"]["retryAfter"] > 0
    (await limited(SEARCH, {"query": "ann"}, token=other)).ok()


async def test_both_indexes_serve_prepared_statements(
    users_shards: tuple[ShardConfig, ...],
) -> None:
    connection = await connect(users_shards[0].primary, application_name="test")
    try:
        await connection.execute(
            "INSERT INTO users"
            " (slot, id, handle, display_name, search_name, created_at, updated_at)"
            " SELECT 1, gen_random_uuid(), md5(n::text), md5(n::text), md5(n::text), now(), now()"
            " FROM generate_series(1, 5000) AS n"
        )
        await connection.execute("ANALYZE users")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        await connection.execute("SET enable_seqscan = off")  # which costs less on a small table
        await connection.execute(
            "PREPARE search (text, text, tsquery) AS SELECT id FROM users WHERE status = 'ACTIVE'"
            " AND ((handle ~>=~ $1 AND handle ~<~ $2) OR search_words @@ $3)"
        )
        plan = await connection.fetch("EXPLAIN EXECUTE search('abc', 'abc~', $$'abc':*$$)")
    finally:
        await connection.close()

    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Bitmap Index Scan on users_handle_prefix_idx" in text
    assert "Bitmap Index Scan on users_search_words_idx" in text
