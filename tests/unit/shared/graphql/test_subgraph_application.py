"""The GraphQL layer around a subgraph, with a schema of a few fields and no database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Self

import pytest
import strawberry
import structlog
from starlette.applications import Starlette
from strawberry.extensions import ParserCache, ValidationCache
from typing_extensions import override

from shared.auth import ForbiddenError
from shared.graphql import (
    Authenticator,
    StatementsExtension,
    SubgraphContext,
    SubgraphSchema,
    SubgraphView,
    create_application,
    documented_field,
    schema_config,
)
from shared.sharding import ShardId
from shared.sharding.statements import record_statement
from tests.support.subgraphs import LiveClient, SubgraphClient, Tokens, new_id, running, served

USER = new_id(1)


class Context(SubgraphContext):
    """The least context."""

    loads = 0
    slots = 256

    @override
    def forget_loaded(self) -> None:
        self.loads = 0

    @override
    def _copy(self) -> Self:
        return type(self)(self.authenticator, diagnostics=self.diagnostics)


Info = strawberry.Info[Context, None]


@strawberry.type
class Query:
    @documented_field
    def viewer(self, info: Info) -> str:
        """Who is calling."""
        return str(info.context.viewer.user_id)

    @documented_field
    def broken(self) -> str:
        """A bug."""
        raise ZeroDivisionError("SELECT secret FROM db-7.internal")

    @documented_field
    def forbidden(self) -> str | None:
        """A refusal."""
        raise ForbiddenError

    @documented_field
    def when(self, after: datetime | None = None) -> datetime:
        """A moment."""
        zone = timezone(timedelta(hours=2))
        return after or datetime(2026, 1, 31, 14, 0, tzinfo=zone)

    @documented_field
    def load(self, info: Info) -> int:
        """Loads in this context so far."""
        info.context.loads += 1
        record_statement("things", ShardId("shard-1"))
        return info.context.loads

    @documented_field
    def partial(self, info: Info) -> str:
        """Some of it."""
        info.context.report(ForbiddenError(), info.path.as_list())
        return "the rest"


schema = SubgraphSchema(
    query=Query,
    config=schema_config(),
    extensions=[ParserCache, ValidationCache, StatementsExtension],
)


@asynccontextmanager
async def _nothing(_: Starlette) -> AsyncIterator[None]:
    yield


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


def _app(tokens: Tokens, *, diagnostics: bool = False) -> Starlette:
    authenticator = Authenticator(tokens.verifier())
    view = SubgraphView(schema, lambda: Context(authenticator, diagnostics=diagnostics))
    return create_application(view, lifespan=_nothing)


@pytest.fixture
async def graph(tokens: Tokens) -> AsyncIterator[SubgraphClient]:
    async with running(_app(tokens)) as client:
        yield client


async def test_a_bug_is_logged_and_shown_only_as_a_request_id(graph: SubgraphClient) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await graph("{ broken }", headers={"x-request-id": "req-1"})

    (error,) = answer.errors
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "req-1"}
    assert error["path"] == ["broken"]
    assert "SELECT" not in str(error)
    (log,) = logs
    assert isinstance(log["exc_info"], ZeroDivisionError)
    assert log["log_level"] == "error"


async def test_a_refusal_is_shown_and_not_logged(graph: SubgraphClient) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await graph("{ forbidden }")

    assert answer.data == {"forbidden": None}
    assert answer.errors[0]["message"] == "You may not do this."
    assert answer.codes == ["FORBIDDEN"]
    assert logs == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ nothing }", {}),
        ("{ viewer", {}),
        ("query ($after: DateTime) { when(after: $after) }", {"after": "yesterday"}),
        ("query ($after: DateTime) { when(after: $after) }", {"after": "2026-01-31T12:00:00"}),
        ("query ($after: DateTime) { when(after: $after) }", {"after": 5}),
        ('{ when(after: "yesterday") }', {}),
    ],
)
async def test_a_bad_request_is_the_clients_fault(
    graph: SubgraphClient, query: str, variables: dict[str, Any]
) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await graph(query, variables)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.data is None
    assert logs == []


async def test_times_are_utc_with_microseconds(graph: SubgraphClient) -> None:
    query = "query ($after: DateTime) { when(after: $after) }"

    assert (await graph(query)).ok() == {"when": "2026-01-31T12:00:00.000000Z"}
    given = await graph(query, {"after": "2026-01-31T12:00:00.1+02:00"})
    assert given.ok() == {"when": "2026-01-31T10:00:00.100000Z"}


async def test_a_field_may_answer_in_part(graph: SubgraphClient) -> None:
    answer = await graph("{ alias: partial }")

    assert answer.data == {"alias": "the rest"}
    assert answer.codes == ["FORBIDDEN"]
    assert answer.errors[0]["path"] == ["alias"]


async def test_statements_are_counted_for_developers_only(
    graph: SubgraphClient, tokens: Tokens
) -> None:
    assert (await graph("{ load again: load }")).extensions == {}

    async with running(_app(tokens, diagnostics=True)) as open_graph:
        answer = await open_graph("{ load again: load }")
    assert answer.extensions == {"sql": {"statements": 2, "shards": {"shard-1": 2}}}


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "application/json"}, b"{", 400),
        ({"content-type": "application/json"}, b"5", 400),
        ({"content-type": "application/json"}, b"null", 400),
        ({"content-type": "application/json"}, b'"x"', 400),
        ({"content-type": "application/json"}, b"{}", 400),
        ({"content-type": "application/json"}, b"[]", 400),
        ({"content-type": "application/json"}, b'[{"query": "{ viewer }"}]', 400),
        ({"content-type": "application/json"}, b'{"query": 5}', 400),
        ({"content-type": "application/json"}, b'{"query": "{viewer}", "variables": []}', 400),
        ({"content-type": "application/json"}, b'{"query": "{viewer}", "operationName": 1}', 400),
        ({"content-type": "application/json"}, b'{"query": "\\ud800"}', 400),
        ({"content-type": "text/plain"}, b'{"query": "{ viewer }"}', 400),
        ({"content-type": "application/json"}, b" " * 5_000_000, 413),
    ],
)
async def test_what_is_no_request_is_refused_as_such(
    graph: SubgraphClient, headers: dict[str, str], content: bytes, status: int
) -> None:
    response = await graph.post("/graphql", headers=headers, content=content)

    assert response.status_code == status


async def test_a_body_that_hides_its_length_is_cut_off(graph: SubgraphClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 100_000

    response = await graph.post(
        "/graphql", headers={"content-type": "application/json"}, content=chunks()
    )

    assert response.status_code == 413


async def test_get_is_not_spoken(graph: SubgraphClient) -> None:
    assert (await graph.get("/graphql?query={viewer}")).status_code == 405


async def test_health_and_metrics_are_there(graph: SubgraphClient) -> None:
    assert (await graph.get("/health")).json() == {"status": "ok"}
    metrics = await graph.get("/metrics")
    assert metrics.status_code == 200
    assert "# TYPE" in metrics.text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-1.2_3", True), (None, False), ("", False), ("a b", False), ("x" * 129, False)],
)
async def test_the_request_id_is_kept_or_made(
    graph: SubgraphClient, sent: str | None, kept: bool
) -> None:
    headers = {} if sent is None else {"x-request-id": sent}
    headers["content-type"] = "application/json"

    response = await graph.post("/graphql", headers=headers, content=b'{"query": "{ load }"}')

    (received,) = response.headers.get_list("x-request-id")
    assert (received == sent) is kept
    assert len(received) > 0


async def test_operations_of_one_connection_do_not_share_what_they_load(tokens: Tokens) -> None:
    async with (
        served(_app(tokens)) as address,
        LiveClient.connected(address, token=tokens.of(USER)) as client,
    ):
        for name in ("1", "2", "3"):
            await client.subscribe("{ viewer load }", name=name)
        messages = [await client.receive() for _ in range(6)]

    data = [message["payload"]["data"] for message in messages if message["type"] == "next"]
    assert data == [{"viewer": str(USER), "load": 1}] * 3


async def test_a_connection_without_init_is_closed(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.graphql.view._CONNECTION_INIT_TIMEOUT", timedelta(seconds=0.05))
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed
    from websockets.typing import Subprotocol

    protocol = Subprotocol("graphql-transport-ws")
    async with (
        served(_app(tokens)) as address,
        connect(f"ws://{address}/graphql", subprotocols=[protocol]) as socket,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(5):
                await socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4408


async def test_a_bug_over_websocket_is_masked_as_well(tokens: Tokens) -> None:
    async with (
        served(_app(tokens)) as address,
        LiveClient.connected(address) as client,
    ):
        with structlog.testing.capture_logs():
            await client.subscribe("{ broken }")
            message = await client.receive()

    (error,) = message["payload"]["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "SELECT" not in str(message)


def test_a_field_needs_a_docstring() -> None:
    def undocumented(self: object) -> str:
        return ""

    with pytest.raises(TypeError, match="docstring"):
        documented_field(undocumented)


def test_a_moment_without_a_zone_is_not_guessed() -> None:
    from shared.graphql.scalars import serialize_datetime

    with pytest.raises(ValueError, match="time zone"):
        serialize_datetime(datetime(2026, 1, 31, tzinfo=UTC).replace(tzinfo=None))
