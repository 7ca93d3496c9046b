"""The parts of the system benchmark that can be wrong without anybody noticing."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.system.cpu import cpu_seconds
from benchmarks.system.http_load import render
from benchmarks.system.model import HttpRequest, Measurement, measure
from benchmarks.system.recording import RecordingSession
from benchmarks.system.report import SERVICES, Line, as_markdown
from shared.sharding import EntityId, Slot
from subgraphs.posts.repository import PostRecord, PostRepository
from subgraphs.posts.tables import PostVisibility
from subgraphs.users.repository import UserRepository


def test_percentiles_are_those_of_the_latencies() -> None:
    measured = measure([number / 1000 for number in range(100, 0, -1)], errors=3, seconds=2.0)

    assert measured == Measurement(
        requests=100, errors=3, seconds=2.0, p50=51.0, p95=96.0, p99=100.0
    )
    assert measured.rate == 50.0


def test_cpu_time_of_a_process_grows_with_its_work() -> None:
    before = cpu_seconds([os.getpid()])
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass

    assert 0.05 <= cpu_seconds([os.getpid()]) - before < 5.0


def test_request_is_rendered_with_its_length_and_token() -> None:
    request = HttpRequest(body='{"query": "{ é }"}', token="abc")

    head, _, body = render("http://127.0.0.1:4000/graphql", request).partition(b"\r\n\r\n")

    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /graphql HTTP/1.1"
    assert "Host: 127.0.0.1:4000" in lines
    assert "Authorization: Bearer abc" in lines
    assert f"Content-Length: {len(body)}" in lines
    assert body == request.body.encode()


async def test_recorded_read_is_the_repositorys_statement() -> None:
    user, viewer = EntityId.new(Slot(7)), EntityId.new(Slot(8))
    session: Any = RecordingSession("postgresql://shard", Slot(7))

    await UserRepository().load_many_seen(session, [user], viewer_id=viewer)

    (statement,) = session.statements()
    assert statement.sql.startswith("SELECT users.slot, users.id, users.email")
    assert "unnest($3::SMALLINT[], $4::UUID[])" in statement.sql
    assert statement.arguments == [8, {"uuid": str(viewer.uuid)}, [7], [{"uuid": str(user.uuid)}]]


async def test_recorded_write_gets_new_ids_where_it_must() -> None:
    author, post_id = EntityId.new(Slot(7)), EntityId.new(Slot(7))
    post = PostRecord(
        id=post_id,
        author_id=author,
        text="text",
        visibility=PostVisibility.PUBLIC,
        tags=(),
        reply_to=None,
        quote_of=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    session: Any = RecordingSession("postgresql://shard", Slot(7))

    await PostRepository().insert_post(session, post, client_request_id=None)

    insert, count = session.statements(post_id.uuid)
    assert insert.sql.startswith("INSERT INTO posts")
    assert insert.arguments[:3] == [7, {"new": 0}, {"uuid": str(author.uuid)}]
    assert {"time": "2026-01-01T00:00:00+00:00"} in insert.arguments
    assert count.sql.startswith("INSERT INTO author_counters")
    assert _uuids(count.arguments) == [author.uuid]


def test_report_has_a_row_per_operation_and_number_of_connections() -> None:
    measured = Measurement(requests=500, errors=0, seconds=1.0, p50=1.25, p95=2.5, p99=3.75)
    line = Line(
        operation="me",
        connections=16,
        system=measured,
        system_cpu=dict.fromkeys(SERVICES, 0.125),
        floor=measured,
        floor_cpu=0.5,
    )

    report = as_markdown([line, line], seconds=5, redis="Redis")

    row = "| `me` | 16 | 500 | 1.25 | 2.50 | 3.75 | 0.12 | 0.12 | 0.12 | 0.12 | 0 |"
    assert report.splitlines().count(row) == 2
    assert report.splitlines().count("| `me` | 16 | 500 | 1.25 | 2.50 | 3.75 | 0.50 | 1.0x |") == 2


def _uuids(arguments: list[Any]) -> list[UUID]:
    return [UUID(value["uuid"]) for value in arguments if isinstance(value, dict)]
