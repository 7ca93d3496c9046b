"""The hub: feeds, their members, sharing, and ends from every side."""

import asyncio
from typing import Any

import orjson
import pytest

from router.executor import RequestContext
from router.executor.context import ErrorDict
from router.server.app import RouterApp
from router.server.generation import Generation
from router.server.reload import ReloadOutcome
from router.server.subscriptions.ending import SCHEMA_RELOADED
from router.server.subscriptions.hub import Member
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app

OTHER = SUPERGRAPH.replace("  failing: String\n", "  failing: String\n  other: Int\n")


class Client:
    """A subscriber that keeps what it gets."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.renewed = asyncio.Event()
        self.ended: asyncio.Future[tuple[str, list[ErrorDict] | None]] = asyncio.Future()

    def renewal(self) -> None:
        self.renewed.set()

    def deliver(self, payload: str, *, has_errors: bool) -> None:
        self.events.put_nowait(orjson.loads(payload)["data"])

    def end(self, outcome: str, errors: list[ErrorDict] | None = None) -> None:
        self.ended.set_result((outcome, errors))

    async def next(self) -> Any:
        return await asyncio.wait_for(self.events.get(), 5)


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


def generation_of(app: RouterApp) -> Generation:
    return app._generations.current


def join(app: RouterApp, client: Client, query: str, token: str = "t", **headers: str) -> Member:  # noqa: S107 - no password
    generation = generation_of(app)
    prepared = generation.preparer.prepare(query, None)
    pairs = (("authorization", token), *headers.items())
    return generation.subscriptions.join(
        generation, prepared, {}, RequestContext(headers=pairs), client
    )


WAITING = "subscription { waiting }"


async def test_events_come_in_order_and_then_the_end(things: ThingsSubgraph) -> None:
    app, client = make_app(things), Client()

    join(app, client, "subscription { ticks(count: 3) }")

    assert await asyncio.wait_for(client.ended, 5) == ("ok", None)
    assert [client.events.get_nowait() for _ in range(3)] == [{"ticks": n} for n in range(3)]
    assert generation_of(app).subscriptions.members == ()
    await app.aclose()


async def test_equal_subscriptions_have_sources_of_their_own_unless_told_otherwise(
    things: ThingsSubgraph,
) -> None:
    app, one, two = make_app(things), Client(), Client()

    join(app, one, WAITING)
    join(app, two, WAITING)
    await one.next()
    await two.next()

    assert len(things.requests) == 2
    await app.aclose()


async def test_equal_subscriptions_of_a_shared_field_have_one_source(
    things: ThingsSubgraph,
) -> None:
    app = make_app(things, subscription_shared_fields=("waiting",))
    clients = [Client() for _ in range(4)]

    members = [join(app, client, WAITING, traceparent=str(n)) for n, client in enumerate(clients)]
    other = Client()
    join(app, other, WAITING, token="of somebody else")
    assert [await client.next() for client in (*clients, other)] == [{"waiting": 0}] * 5
    assert len(things.requests) == 2

    members[0].leave()
    things.release.set()
    assert [await client.next() for client in clients[1:]] == [{"waiting": 1}] * 3
    assert [(await client.ended)[0] for client in clients[1:]] == ["ok"] * 3
    assert clients[0].events.empty()
    assert not clients[0].ended.done()
    await app.aclose()


async def test_the_last_member_that_leaves_ends_the_source(things: ThingsSubgraph) -> None:
    app = make_app(things, subscription_shared_fields=("*",))
    one, two = Client(), Client()
    members = [join(app, one, WAITING), join(app, two, WAITING)]
    await one.next()

    members[0].leave()
    members[0].leave()
    await asyncio.sleep(0)
    assert not things.cancelled.is_set()
    members[1].leave()

    await asyncio.wait_for(things.cancelled.wait(), 5)
    third = Client()
    join(app, third, WAITING)
    assert await third.next() == {"waiting": 0}
    await app.aclose()


async def test_the_router_can_end_a_subscription_and_say_why(things: ThingsSubgraph) -> None:
    app, client = make_app(things), Client()
    join(app, client, WAITING)
    await client.next()

    [member] = generation_of(app).subscriptions.members
    member.end(SCHEMA_RELOADED)

    outcome, errors = await client.ended
    assert outcome == "errors"
    assert errors is not None
    assert errors[0]["extensions"] == {"code": "SUBSCRIPTION_SCHEMA_RELOAD"}
    await asyncio.wait_for(things.cancelled.wait(), 5)
    await app.aclose()


async def test_a_retired_generation_goes_when_its_last_subscription_has_ended(
    things: ThingsSubgraph,
) -> None:
    app, client = make_app(things, reload_drain_time=0), Client()
    old = generation_of(app)
    member = join(app, client, WAITING)
    await client.next()

    assert await app.reload(OTHER) is ReloadOutcome.APPLIED
    assert generation_of(app) is not old
    [retiring] = app._generations._retiring
    await asyncio.wait_for(client.renewed.wait(), 5)
    assert not retiring.done()
    member.leave()

    await asyncio.wait_for(retiring, 5)
    await app.aclose()


async def test_a_defect_is_masked_for_every_member(
    things: ThingsSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> dict[str, Any]:
        raise RuntimeError("a secret")

    monkeypatch.setattr("router.server.subscriptions.hub.result_payload", broken)
    app, client = make_app(things), Client()
    join(app, client, WAITING)

    outcome, errors = await asyncio.wait_for(client.ended, 5)

    assert outcome == "failed"
    assert errors is not None
    assert errors[0]["message"] == "Internal server error"
    await app.aclose()
