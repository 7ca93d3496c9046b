"""Sharing of identical queries in flight."""

from __future__ import annotations

import asyncio

import pytest

from router.executor import ExecutorSettings, RequestContext
from router.executor.fetcher import Fetcher
from router.executor.program import CompiledFetch
from router.planner.plan import OperationKind
from tests.federation.harness.plans import fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, ScriptedTransport, program_of

SUPERGRAPH = PlainSupergraph("type Query { n: Int } type Mutation { n: Int }")
ANSWER = {"data": {"n": 1}}
HEADERS = (("authorization", "a"),)


def compiled(kind: OperationKind = OperationKind.QUERY) -> CompiledFetch:
    plan = query_plan(fetch(0, "s", "{ n }", kind=kind), kind=kind)
    return program_of(SUPERGRAPH, f"{kind} {{ n }}", plan).variant({}).fetches[0]


def held_transport() -> ScriptedTransport:
    return ScriptedTransport([ANSWER], hold=asyncio.Event())


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("second", "body", "requests"),
    [
        (RequestContext(headers=HEADERS, request_id="other"), b"{}", 1),
        (RequestContext(headers=(("authorization", "b"),)), b"{}", 2),
        (RequestContext(headers=HEADERS), b'{"query":1}', 2),
    ],
)
async def test_queries_are_shared_when_subgraph_body_and_headers_are_the_same(
    second: RequestContext, body: bytes, requests: int
) -> None:
    transport = held_transport()
    fetcher = Fetcher({"s": transport}, ExecutorSettings())
    first = RequestContext(headers=HEADERS, request_id="one")

    tasks = [
        asyncio.create_task(fetcher.fetch(compiled(), b"{}", first)),
        asyncio.create_task(fetcher.fetch(compiled(), body, second)),
    ]
    await settle()
    assert transport.hold is not None
    transport.hold.set()
    outcomes = await asyncio.gather(*tasks)

    assert len(transport.requests) == requests
    assert [outcome.data for outcome in outcomes] == [{"n": 1}, {"n": 1}]
    assert (outcomes[0] is outcomes[1]) == (requests == 1)


async def test_mutations_are_never_shared() -> None:
    transport = held_transport()
    fetcher = Fetcher({"s": transport}, ExecutorSettings())
    mutation = compiled(OperationKind.MUTATION)

    tasks = [
        asyncio.create_task(fetcher.fetch(mutation, b"{}", RequestContext())) for _ in range(2)
    ]
    await settle()
    assert transport.hold is not None
    transport.hold.set()
    await asyncio.gather(*tasks)

    assert len(transport.requests) == 2


async def test_when_the_one_who_asks_leaves_another_takes_over() -> None:
    transport = held_transport()
    fetcher = Fetcher({"s": transport}, ExecutorSettings())
    leader, *followers = [
        asyncio.create_task(fetcher.fetch(compiled(), b"{}", RequestContext())) for _ in range(3)
    ]
    await settle()

    leader.cancel()
    await settle()

    assert transport.cancelled == 1
    assert len(transport.requests) == 2
    assert transport.hold is not None
    transport.hold.set()
    outcomes = await asyncio.gather(*followers)
    assert [outcome.data for outcome in outcomes] == [{"n": 1}, {"n": 1}]


async def test_cancelling_a_follower_leaves_the_request_alone() -> None:
    transport = held_transport()
    fetcher = Fetcher({"s": transport}, ExecutorSettings())
    leader, follower = [
        asyncio.create_task(fetcher.fetch(compiled(), b"{}", RequestContext())) for _ in range(2)
    ]
    await settle()

    follower.cancel()
    await settle()
    assert transport.hold is not None
    transport.hold.set()

    assert (await leader).data == {"n": 1}
    assert transport.cancelled == 0
    assert follower.cancelled()


async def test_the_deadline_of_the_one_who_asks_is_not_shared() -> None:
    transport = held_transport()
    fetcher = Fetcher({"s": transport}, ExecutorSettings())
    soon = RequestContext(deadline=asyncio.get_running_loop().time() + 0.01)

    leader = asyncio.create_task(fetcher.fetch(compiled(), b"{}", soon))
    await settle()
    follower = asyncio.create_task(fetcher.fetch(compiled(), b"{}", RequestContext()))
    assert (await leader).failure is not None
    await settle()
    assert transport.hold is not None
    transport.hold.set()

    assert (await follower).data == {"n": 1}
    assert len(transport.requests) == 2
