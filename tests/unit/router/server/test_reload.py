"""Reloading the supergraph of a running router: what changes, what stays, and what is left."""

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from router.server.app import RouterApp
from router.server.reload import ReloadOutcome
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph, make_app, served

OTHER = SUPERGRAPH.replace("  failing: String\n", "  failing: String\n  other: Int\n")


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def app(things: ThingsSubgraph) -> AsyncGenerator[RouterApp, None]:
    app = make_app(things, reload_drain_time=0.2)
    yield app
    await app.aclose()


def _client(app: RouterApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router")


async def _metric(app: RouterApp, line: str) -> bool:
    async with _client(app) as client:
        return line in (await client.get("/metrics")).text.splitlines()


def _version(number: int) -> str:
    return OTHER.replace("other: Int", f"other{number}: Int")


async def test_new_requests_run_on_the_new_supergraph(app: RouterApp) -> None:
    async with _client(app) as client:
        before = await client.post("/graphql", json={"query": "{ other }"})
        outcome = await app.reload(OTHER)
        after = await client.post("/graphql", json={"query": "{ other @skip(if: true) }"})

    assert outcome is ReloadOutcome.APPLIED
    assert before.status_code == 200
    assert before.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert after.json() == {"data": {}}
    assert await _metric(app, 'router_reloads_total{outcome="applied"} 1.0')


@pytest.mark.parametrize(
    "sdl", ["", "type Query {", "type Query { a: Int }", OTHER.replace("http://127.0.0.1:1/", "x:")]
)
async def test_one_that_does_not_load_changes_nothing(sdl: str) -> None:
    app = make_app(ThingsSubgraph())
    app._transports.clear()  # so that addresses count
    digest = app.supergraph.digest

    outcome = await app.reload(sdl)

    assert outcome is ReloadOutcome.REFUSED
    assert app.supergraph.digest == digest
    assert await _metric(app, 'router_reloads_total{outcome="refused"} 1.0')
    await app.aclose()


async def test_the_same_document_changes_nothing(app: RouterApp) -> None:
    supergraph = app.supergraph

    outcome = await app.reload(SUPERGRAPH)

    assert outcome is ReloadOutcome.UNCHANGED
    assert app.supergraph is supergraph


async def test_reloads_at_the_same_time_run_one_after_the_other(app: RouterApp) -> None:
    outcomes = await asyncio.gather(*(app.reload(_version(n)) for n in range(4)))

    assert set(outcomes) == {ReloadOutcome.APPLIED}
    assert "other3" in app.supergraph.types["Query"].fields


async def test_the_hottest_operations_are_prepared_before_the_switch(
    things: ThingsSubgraph,
) -> None:
    app = make_app(things, reload_warm_operations=2)
    async with _client(app) as client:
        for query, times in (
            ("{ greeting }", 3),
            ("{ failing }", 2),
            ("{ a: greeting }", 1),
        ):
            for _ in range(times):
                await client.post("/graphql", json={"query": query})

    await app.reload(OTHER)

    preparer = app._generations.current.preparer
    assert set(preparer.hottest(10)) == {("{ greeting }", None), ("{ failing }", None)}
    await app.aclose()


async def test_an_operation_that_the_new_supergraph_has_not_is_not_prepared(
    things: ThingsSubgraph,
) -> None:
    app = make_app(things)
    async with _client(app) as client:
        for query in ("{ greeting }", "{ failing }"):
            await client.post("/graphql", json={"query": query})

    await app.reload(SUPERGRAPH.replace("  failing: String\n", ""))

    assert app._generations.current.preparer.hottest(10) == [("{ greeting }", None)]
    await app.aclose()


async def test_no_time_for_warming_up_is_no_reason_not_to_switch(things: ThingsSubgraph) -> None:
    app = make_app(things, reload_warm_time=0)
    async with _client(app) as client:
        await client.post("/graphql", json={"query": "{ greeting }"})

    assert await app.reload(OTHER) is ReloadOutcome.APPLIED
    assert app._generations.current.preparer.hottest(10) == []
    await app.aclose()


async def test_a_request_ends_on_the_supergraph_it_began_on(
    app: RouterApp, things: ThingsSubgraph
) -> None:
    async with _client(app) as client:
        answer = asyncio.create_task(client.post("/graphql", json={"query": "{ slow }"}))
        await things.started.wait()
        await app.reload(SUPERGRAPH.replace("  slow: String\n", ""))
        things.release.set()

        assert (await answer).json() == {"data": {"slow": "at last"}}


async def test_the_switch_interval_is_as_before(app: RouterApp) -> None:
    before = sys.getswitchinterval()

    await app.reload(OTHER)

    assert sys.getswitchinterval() == before


async def _subscriber(address: str, stack: AsyncExitStack) -> ClientConnection:
    socket = await stack.enter_async_context(
        connect(f"ws://{address}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")])
    )
    await socket.send('{"type":"connection_init"}')
    await socket.recv()
    await socket.send(
        '{"type":"subscribe","id":"s","payload":{"query":"subscription { waiting }"}}'
    )
    await socket.recv()
    return socket


async def _rest(socket: ClientConnection) -> list[str | bytes]:
    """What comes until the connection is closed."""
    messages: list[str | bytes] = []
    async with asyncio.timeout(10):
        with suppress(ConnectionClosed):
            while True:
                messages.append(await socket.recv())
    return messages


async def _close_code(socket: ClientConnection) -> int | None:
    await _rest(socket)
    return socket.close_code


async def test_subscriptions_of_the_old_supergraph_are_ended_one_by_one(app: RouterApp) -> None:
    ends: list[float] = []
    loop = asyncio.get_running_loop()

    async def end(socket: ClientConnection) -> int | None:
        code = await _close_code(socket)
        ends.append(loop.time())
        return code

    async with served(app) as address, AsyncExitStack() as stack:
        sockets = [await _subscriber(address, stack) for _ in range(20)]
        await app.reload(OTHER)
        switched = loop.time()
        codes = await asyncio.gather(*map(end, sockets))

    assert set(codes) == {1012}
    assert max(ends) - switched < 5  # drained within 0.2 s, on a slow machine
    assert len({round(moment, 3) for moment in ends}) > 5


async def test_subscriptions_of_the_new_supergraph_stay(
    app: RouterApp, things: ThingsSubgraph
) -> None:
    async with served(app) as address, AsyncExitStack() as stack:
        old = await _subscriber(address, stack)
        await app.reload(OTHER)
        new = await _subscriber(address, stack)
        code = await _close_code(old)
        things.release.set()
        event = await new.recv()

    assert code == 1012
    assert event == '{"id":"s","type":"next","payload":{"data":{"waiting":1}}}'


async def test_a_mutation_is_finished_before_its_connection_is_drained(
    things: ThingsSubgraph,
) -> None:
    app = make_app(things, reload_drain_time=0)
    async with served(app) as address, AsyncExitStack() as stack:
        socket = await _subscriber(address, stack)
        things.started.clear()
        await socket.send(
            '{"type":"subscribe","id":"m","payload":{"query":"mutation { slowBump }"}}'
        )
        await things.started.wait()
        await app.reload(OTHER)
        for _ in range(20):
            await asyncio.sleep(0)
        socket_state = socket.state.name
        things.release.set()
        messages = await _rest(socket)

    assert socket_state == "OPEN"
    assert '{"id":"m","type":"next","payload":{"data":{"slowBump":1}}}' in messages
    assert socket.close_code == 1012


async def test_too_many_old_supergraphs_are_drained_faster(things: ThingsSubgraph) -> None:
    app = make_app(things, reload_drain_time=3600)
    async with served(app) as address, AsyncExitStack() as stack:
        sockets = []
        for number in range(5):
            sockets.append(await _subscriber(address, stack))
            await app.reload(_version(number))

        codes = [await _close_code(socket) for socket in sockets[:2]]
        states = [socket.state.name for socket in sockets[2:]]

    assert codes == [1012, 1012]
    assert states == ["OPEN"] * 3


async def test_old_generations_die(app: RouterApp, things: ThingsSubgraph) -> None:
    refs: list[weakref.ref[object]] = []
    async with _client(app) as client:
        for number in range(10):
            generation = app._generations.current
            refs += [weakref.ref(generation), weakref.ref(generation.supergraph)]
            del generation
            await client.post("/graphql", json={"query": "{ greeting failing }"})
            await app.reload(_version(number))
        await app.reload(OTHER)
    for _ in range(10):
        await asyncio.sleep(0)

    gc.collect()

    assert [ref() for ref in refs] == [None] * 20


async def test_the_memory_of_old_generations_is_collected_in_a_process_of_our_own(
    things: ThingsSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected = asyncio.Event()
    monkeypatch.setattr("router.server.app.collect_for_good", collected.set)
    monkeypatch.setattr("router.server.generation._TELL_SECONDS", 0.0)
    monkeypatch.setattr(gc, "freeze", lambda: None)  # the tests' own process stays as it is
    app = RouterApp(
        make_app(things).settings, make_app(things).supergraph, {"things": things}, own_process=True
    )

    await app.reload(OTHER)

    async with asyncio.timeout(5):
        await collected.wait()
    await app.aclose()
