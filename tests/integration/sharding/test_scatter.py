"""Scatter-gather pages over two real shards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import bindparam, select, text

from shared.errors import BadUserInputError
from shared.pagination import Key, KeyPart, Keyset
from shared.sharding import (
    EntityId,
    ReadSession,
    ScatterPage,
    ScatterQuery,
    ShardId,
    Shards,
    ShardSettings,
    ShardTimeoutError,
    ShardUnavailableError,
    Topology,
    count_statements,
    scatter,
)
from tests.integration.sharding.conftest import FIRST, NOTES, SECOND, SETTINGS, Domain, write_notes

_COLUMNS = select(NOTES.c.slot, NOTES.c.id).order_by(NOTES.c.id.desc()).limit(bindparam("rows"))
_AFTER = _COLUMNS.where(NOTES.c.id < bindparam("after"))


async def _fetch(session: ReadSession, after: Key | None, limit: int) -> list[EntityId]:
    if after is None:
        rows = await session.execute(_COLUMNS, {"rows": limit})
    else:
        rows = await session.execute(_AFTER, {"rows": limit, "after": after[0]})
    return [EntityId(row.slot, row.id) for row in rows]


def _key(note: EntityId) -> tuple[UUID]:
    return (note.uuid,)


NEWEST = ScatterQuery(
    keyset=Keyset("newest", (KeyPart.UUID,)), key=_key, fetch=_fetch, descending=True
)


def nodes(page: ScatterPage[EntityId]) -> list[EntityId]:
    return [edge.node for edge in page.edges]


async def all_pages(shards: Shards, first: int) -> list[list[EntityId]]:
    pages: list[list[EntityId]] = []
    cursor: str | None = None
    while True:
        page = await scatter(shards, NEWEST, first=first, after=cursor)
        assert not page.failures
        assert page.has_previous_page == (cursor is not None)
        pages.append(nodes(page))
        if not page.has_next_page:
            return pages
        cursor = page.end_cursor


@pytest.mark.parametrize(
    "slots",
    [
        pytest.param([number * 83 % 256 for number in range(23)], id="mixed"),
        pytest.param([1] * 17 + [200] * 6, id="one shard old, one new"),
        pytest.param([1] * 23, id="one shard empty"),
        pytest.param([1, 200] * 10, id="even, a full last page"),
        pytest.param([], id="nothing"),
    ],
)
async def test_pages_are_complete_and_in_order(shards: Shards, slots: Sequence[int]) -> None:
    notes = await write_notes(shards, slots)

    pages = await all_pages(shards, first=5)

    assert [note for page in pages for note in page] == notes[::-1]
    assert all(len(page) == 5 for page in pages[:-1])


async def test_a_page_costs_one_statement_per_shard(shards: Shards) -> None:
    await write_notes(shards, [1, 200] * 5)

    with count_statements() as counts:
        await scatter(shards, NEWEST, first=4)

    assert counts.of("notes") == {FIRST: 1, SECOND: 1}


async def test_every_edge_has_a_cursor_that_continues_after_it(shards: Shards) -> None:
    notes = (await write_notes(shards, [1, 200, 2, 201, 3]))[::-1]
    page = await scatter(shards, NEWEST, first=5)

    for place, edge in enumerate(page.edges, start=1):
        rest = await scatter(shards, NEWEST, first=5, after=edge.cursor)
        assert nodes(rest) == notes[place:]


async def test_rows_written_meanwhile_neither_shift_nor_repeat(shards: Shards) -> None:
    notes = await write_notes(shards, [number * 83 % 256 for number in range(40)])
    seen: list[EntityId] = []
    cursor: str | None = None
    stop = asyncio.Event()

    async def keep_writing() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await write_notes(shards, [number * 59 % 256])

    writer = asyncio.create_task(keep_writing())
    try:
        while True:
            page = await scatter(shards, NEWEST, first=3, after=cursor)
            seen += nodes(page)
            cursor = page.end_cursor
            if not page.has_next_page:
                break
    finally:
        stop.set()
        await writer

    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen, key=_key, reverse=True)
    assert seen[-40:] == notes[::-1]


async def test_one_shard_alone_can_be_asked(shards: Shards) -> None:
    notes = await write_notes(shards, [1, 200, 2, 201])

    page = await scatter(shards, NEWEST, first=1, only=[SECOND])
    rest = await scatter(shards, NEWEST, first=5, after=page.end_cursor, only=[SECOND])

    assert nodes(page) == [notes[3]]
    assert nodes(rest) == [notes[1]]
    with pytest.raises(BadUserInputError):  # its cursor knows nothing of the other shard
        await scatter(shards, NEWEST, first=1, after=page.end_cursor)


async def test_a_failed_shard_is_reported_and_its_rows_come_later(domain: Domain) -> None:
    shards = domain.shards
    notes = await write_notes(shards, [1, 200, 2, 201, 3, 202])
    on_first, on_second = notes[0::2], notes[1::2]

    await domain.cluster_of(FIRST).stop()
    try:
        page = await scatter(shards, NEWEST, first=2)
        empty = await scatter(shards, NEWEST, first=2, after=page.end_cursor, only=None)
    finally:
        await domain.cluster_of(FIRST).start()
    rest = await scatter(shards, NEWEST, first=10, after=empty.end_cursor)

    assert nodes(page) == on_second[:0:-1]
    assert {shard: type(error) for shard, error in page.failures.items()} == {
        FIRST: ShardUnavailableError
    }
    assert nodes(empty) == on_second[:1]
    assert empty.has_next_page  # what is on the failed shard
    assert nodes(rest) == on_first[::-1]
    assert not rest.failures
    assert not rest.has_next_page


async def test_an_empty_page_of_a_failed_shard_leaves_the_cursor_where_it_was(
    domain: Domain,
) -> None:
    await write_notes(domain.shards, [1, 2, 200])
    start = await scatter(domain.shards, NEWEST, first=1)

    await domain.cluster_of(FIRST).stop()
    try:
        page = await scatter(domain.shards, NEWEST, first=1, after=start.end_cursor)
    finally:
        await domain.cluster_of(FIRST).start()

    assert nodes(page) == []
    assert page.has_next_page
    assert page.end_cursor == start.end_cursor


async def test_all_shards_down_is_an_error(domain: Domain) -> None:
    await asyncio.gather(*(cluster.stop() for cluster in domain.clusters))
    try:
        with pytest.raises(ShardUnavailableError):
            await scatter(domain.shards, NEWEST, first=2)
    finally:
        await asyncio.gather(*(cluster.start() for cluster in domain.clusters))


async def test_a_slow_shard_times_out_alone(domain: Domain, topology: Topology) -> None:
    notes = await write_notes(domain.shards, [1, 200])

    async def slow_on_first(session: ReadSession, after: Key | None, limit: int) -> list[EntityId]:
        if session.shard == FIRST:
            await session.execute(text("SELECT pg_sleep(60)"))
        return await _fetch(session, after, limit)

    async with Shards(topology, replace(SETTINGS, scatter_timeout=0.1)) as shards:
        page = await scatter(shards, replace(NEWEST, fetch=slow_on_first), first=5)

    assert nodes(page) == notes[1:]
    assert {shard: type(error) for shard, error in page.failures.items()} == {
        FIRST: ShardTimeoutError
    }


async def test_no_more_shards_are_asked_at_once_than_allowed(topology: Topology) -> None:
    running = most = 0

    async def fetch(session: ReadSession, after: Key | None, limit: int) -> list[EntityId]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return []

    settings = ShardSettings(domain="notes", scatter_concurrency=1)
    async with Shards(topology, settings) as shards:
        await scatter(shards, replace(NEWEST, fetch=fetch), first=5)

    assert most == 1


async def test_a_cursor_from_before_a_change_of_topology_is_refused(
    domain: Domain, topology: Topology
) -> None:
    await write_notes(domain.shards, [1, 200, 2])
    page = await scatter(domain.shards, NEWEST, first=1)

    async with Shards(replace(topology, epoch=2), SETTINGS) as shards:
        with pytest.raises(BadUserInputError, match="Start with page one") as raised:
            await scatter(shards, NEWEST, first=1, after=page.end_cursor)

    assert raised.value.extensions == {"code": "BAD_USER_INPUT", "field": "after"}


async def test_another_lists_cursor_is_refused_without_a_statement(shards: Shards) -> None:
    await write_notes(shards, [1, 200])
    page = await scatter(shards, NEWEST, first=1)
    other = replace(NEWEST, keyset=Keyset("oldest", (KeyPart.UUID,)))

    with count_statements() as counts, pytest.raises(BadUserInputError):
        await scatter(shards, other, first=1, after=page.end_cursor)

    assert counts.total == 0


async def test_a_bug_in_fetch_is_no_partial_result(shards: Shards) -> None:
    async def broken(session: ReadSession, after: Key | None, limit: int) -> list[EntityId]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await scatter(shards, replace(NEWEST, fetch=broken), first=1)


async def test_an_unknown_shard_is_a_mistake(shards: Shards) -> None:
    with pytest.raises(KeyError):
        await scatter(shards, NEWEST, first=1, only=[ShardId("shard-9")])
