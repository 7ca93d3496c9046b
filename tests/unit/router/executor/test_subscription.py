"""Subscriptions: events, the rest of the plan for each of them, ends of all kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson

from router.executor import (
    Executor,
    Program,
    RequestContext,
    SubscriptionError,
    SubscriptionFailure,
)
from router.executor.transport import AsgiTransport
from router.planner.plan import OperationKind
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, ScriptedTransport, program_of
from tests.federation.harness.subgraph import DataSubgraph

SUPERGRAPH = PlainSupergraph(
    """
    type Query { n: Int }
    type Subscription { posted(topic: String): Post }
    type Post { id: ID! author: User }
    type User { id: ID! name: String! }
    """
)
QUERY = "subscription($t: String) { p: posted(topic: $t) { id author { name } } }"
PLAN = query_plan(
    fetch(
        0,
        "posts",
        "{ p: posted(topic: $t) { id author { id } } }",
        kind=OperationKind.SUBSCRIPTION,
        variables={"t": "String"},
    ),
    fetch(1, "users", call("p.author", {"User": "id"}, "{ ... on User { name } }"), after=[0]),
    kind=OperationKind.SUBSCRIPTION,
)
PROGRAM: Program = program_of(SUPERGRAPH, QUERY, PLAN)


def event(id_: int, author: str | None = "u") -> dict[str, Any]:
    return {"data": {"p": {"id": str(id_), "author": None if author is None else {"id": author}}}}


def names(payload: dict[str, Any]) -> dict[str, Any]:
    wanted = payload["variables"]["representations"]
    return {"data": {"_entities": [{"name": f"name of {one['id']}"} for one in wanted]}}


async def results(posts: ScriptedTransport, users: ScriptedTransport, **context: Any) -> list[Any]:
    executor = Executor(SUPERGRAPH, {"posts": posts, "users": users})
    stream = executor.subscribe(PROGRAM, {"t": "x"}, RequestContext(**context))
    return [result async for result in stream]


async def test_the_rest_of_the_plan_runs_for_every_event_in_order() -> None:
    users = ScriptedTransport([names])
    posts = ScriptedTransport([{}], events=[event(1), event(2, None), event(3, "v")])

    got = await results(posts, users)

    assert [(result.data, result.errors) for result in got] == [
        ({"p": {"id": "1", "author": {"name": "name of u"}}}, []),
        ({"p": {"id": "2", "author": None}}, []),
        ({"p": {"id": "3", "author": {"name": "name of v"}}}, []),
    ]
    assert len(users.requests) == 2
    assert posts.is_ended


async def test_the_source_gets_operation_headers_and_connection_params() -> None:
    posts = ScriptedTransport([{}], events=[])

    await results(
        posts,
        ScriptedTransport([names]),
        headers=(("Authorization", "Bearer t"),),
        request_id="r",
        connection_params={"locale": "de", "authorization": "old"},
    )

    (request,) = posts.opened
    assert orjson.loads(request.body) == {
        "query": PLAN.fetches[0].operation,
        "variables": {"t": "x"},
    }
    assert request.connection_init == {"locale": "de", "authorization": "Bearer t"}
    assert request.headers == (("Authorization", "Bearer t"), ("x-request-id", "r"))


async def test_errors_of_an_event_are_mapped_and_the_subscription_goes_on() -> None:
    users = ScriptedTransport([{"data": None, "errors": [{"message": "down"}]}, names])
    broken = {"data": {"p": None}, "errors": [{"message": "no", "path": ["p"]}]}
    posts = ScriptedTransport([{}], events=[event(1), broken, "no response", event(4)])

    got = await results(posts, users)

    assert got[0].data == {"p": {"id": "1", "author": None}}
    assert [(error["message"], error["path"]) for error in got[0].errors] == [
        ("down", ["p", "author"])
    ]
    assert got[1].data == {"p": None}
    assert [error["extensions"]["service"] for error in got[1].errors] == ["posts"]
    assert got[2].errors[0]["extensions"]["code"] == "SUBREQUEST_MALFORMED_RESPONSE"
    assert got[3].data == {"p": {"id": "4", "author": {"name": "name of u"}}}


async def test_a_source_that_fails_ends_with_one_result_that_says_why() -> None:
    lost = SubscriptionError(SubscriptionFailure.LOST, "The connection was lost.")
    posts = ScriptedTransport([{}], events=[event(1), lost])

    got = await results(posts, ScriptedTransport([names]))

    assert got[0].errors == []
    assert got[1].data is None
    assert got[1].errors == [
        {
            "message": "The connection was lost.",
            "path": ["p"],
            "extensions": {"code": "SUBSCRIPTION_CONNECTION_LOST", "service": "posts"},
        }
    ]
    assert len(got) == 2


async def test_errors_of_a_rejected_subscription_reach_the_client() -> None:
    told = {"message": "not yours", "path": ["p"], "extensions": {"code": "FORBIDDEN", "x": 1}}
    rejected = SubscriptionError(SubscriptionFailure.REJECTED, "rejected", [told])

    got = await results(ScriptedTransport([{}], events=[rejected]), ScriptedTransport([names]))

    assert [(result.data, result.errors) for result in got] == [
        (
            None,
            [
                {
                    "message": "not yours",
                    "path": ["p"],
                    "extensions": {"code": "FORBIDDEN", "service": "posts"},
                }
            ],
        )
    ]


async def test_closing_ends_the_source() -> None:
    posts = ScriptedTransport([{}], events=[event(1), event(2)])
    executor = Executor(SUPERGRAPH, {"posts": posts, "users": ScriptedTransport([names])})

    async with aclosing(executor.subscribe(PROGRAM, {}, RequestContext())) as stream:
        await anext(stream)
        assert not posts.is_ended

    assert posts.is_ended


async def test_cancelling_ends_the_source_and_the_fetches_of_the_event() -> None:
    posts = ScriptedTransport([{}], events=[event(1)])
    users = ScriptedTransport([names], hold=asyncio.Event())
    executor = Executor(SUPERGRAPH, {"posts": posts, "users": users})

    async def consume() -> None:
        async with aclosing(executor.subscribe(PROGRAM, {}, RequestContext())) as stream:
            await anext(stream)

    task = asyncio.create_task(consume())
    await users.arrived.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert users.cancelled == 1
    assert posts.is_ended


POSTS_SDL = """
    type Query { n: Int }
    type Subscription { posted(topic: String): Post }
    type Post { id: ID! author: User }
    type User @key(fields: "id") { id: ID! }
"""
USERS_SDL = 'type Query { m: Int } type User @key(fields: "id") { id: ID! name: String! }'


async def test_over_asgi_one_connection_carries_many_subscriptions_and_complete_is_sent() -> None:
    gate = asyncio.Event()

    async def posted(_: Any, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        yield {"id": arguments["topic"], "author": {"id": "u"}}
        await gate.wait()
        yield {"id": "late", "author": None}

    posts = DataSubgraph("posts", POSTS_SDL, resolvers={"Subscription.posted": posted})
    users = DataSubgraph("users", USERS_SDL, entities={"User": [{"id": "u", "name": "Ann"}]})
    executor = Executor(SUPERGRAPH, {"posts": AsgiTransport(posts), "users": AsgiTransport(users)})
    context = RequestContext(headers=(("authorization", "Bearer t"),))

    first = executor.subscribe(PROGRAM, {"t": "a"}, context)
    second = executor.subscribe(PROGRAM, {"t": "b"}, context)
    other = executor.subscribe(PROGRAM, {"t": "c"}, RequestContext())
    got = [(await anext(stream)).data for stream in (first, second, other)]

    assert got == [{"p": {"id": topic, "author": {"name": "Ann"}}} for topic in "abc"]
    assert posts.connection_inits == [{"authorization": "Bearer t"}, {}]
    await first.aclose()
    assert await posts.ended_operations.get() == "1"
    gate.set()
    assert (await anext(second)).data == {"p": {"id": "late", "author": None}}
    assert [result async for result in second] == []
    await other.aclose()
    await executor.aclose()
