"""Answers in parts: what is waited for, what is not, and what ends it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from router.executor import (
    Executor,
    ExecutorSettings,
    PartialResult,
    RequestContext,
    compile_program,
)
from router.planner import Planner
from tests.federation.defer.data import subgraphs
from tests.federation.harness import compose_subgraphs, deferring
from tests.federation.harness.scripted import Answer, ScriptedTransport

SUPERGRAPH = deferring(compose_subgraphs(subgraphs()))
ME = {"data": {"me": {"__typename": "User", "id": "1", "name": "Ada"}}}
COUNT = {"data": {"_entities": [{"__typename": "User", "count": 3}]}}
QUERY = "{ me { name ... @defer { count } } }"


@dataclass
class Site:
    """Two subgraphs, of which the second waits to be released."""

    users: ScriptedTransport
    reviews: ScriptedTransport
    executor: Executor

    def ask(self, query: str, variables: dict[str, Any] | None = None, **context: Any) -> Any:
        document = parse(query)
        (operation, *_) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        plan = Planner(SUPERGRAPH).plan(document, operation, defer=True)
        program = compile_program(SUPERGRAPH, document, operation, plan)
        return self.executor.deliver(program, variables or {}, RequestContext(**context))


def site(
    users: Answer = ME, reviews: Answer = COUNT, settings: ExecutorSettings | None = None
) -> Site:
    first, second = ScriptedTransport([users]), ScriptedTransport([reviews])
    second.hold = asyncio.Event()
    transports = {"users": first, "reviews": second, "products": ScriptedTransport([{}])}
    return Site(first, second, Executor(SUPERGRAPH, transports, settings))


async def test_the_first_answer_does_not_wait_for_what_is_deferred() -> None:
    shop = site()
    assert shop.reviews.hold is not None

    async with aclosing(shop.ask(QUERY)) as results:
        first = await anext(results)
        await shop.reviews.arrived.wait()
        shop.reviews.hold.set()
        later = [result async for result in results]

    assert first.to_dict() == {"data": {"me": {"name": "Ada"}}, "hasNext": True}
    assert [result.to_dict() for result in later] == [
        {"incremental": [{"data": {"count": 3}, "path": ["me"]}], "hasNext": False}
    ]


async def test_deferred_fetches_start_before_the_first_answer_is_made() -> None:
    shop = site()
    shop.users.hold = asyncio.Event()
    query = "{ me { name } ... @defer { latest { text } } }"
    async with aclosing(shop.ask(query)) as results:
        first = asyncio.ensure_future(anext(results))
        await shop.reviews.arrived.wait()

        assert not first.done()

        shop.users.hold.set()
        assert (await first).first.data == {"me": {"name": "Ada"}}


async def test_closing_ends_what_is_under_way() -> None:
    shop = site()

    async with aclosing(shop.ask(QUERY)) as results:
        await anext(results)
        await shop.reviews.arrived.wait()

    assert shop.reviews.cancelled == 1


async def test_cancelling_while_the_first_answer_is_made_ends_what_is_under_way() -> None:
    shop = site()
    query = "{ me { name count ... @defer { email } } }"

    async def consume() -> list[PartialResult]:
        async with aclosing(shop.ask(query)) as results:
            return [result async for result in results]

    consumer = asyncio.create_task(consume())
    await shop.reviews.arrived.wait()
    consumer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert shop.reviews.cancelled == 1


async def test_a_deferred_fetch_that_runs_out_of_time_is_an_error_of_its_part() -> None:
    shop = site()
    deadline = asyncio.get_running_loop().time() + 0.05

    async with aclosing(shop.ask(QUERY, deadline=deadline)) as results:
        first, last = [result async for result in results]

    assert first.first is not None
    assert first.first.errors == []
    (part,) = last.parts
    assert part.data is None  # `count` is never null
    assert [(error["path"], error["extensions"]["service"]) for error in part.errors] == [
        (["me"], "reviews")
    ]


async def test_a_null_that_propagates_over_an_object_leaves_nothing_of_it_to_wait_for() -> None:
    shop = site(users={"data": {"me": {"__typename": "User", "id": "1", "name": None}}})

    async with aclosing(shop.ask(QUERY)) as results:
        (only,) = [result async for result in results]

    assert only.first is not None
    assert only.first.data == {"me": None}
    assert [error["path"] for error in only.first.errors] == [["me", "name"]]
    assert not only.has_next


async def test_an_error_is_told_once() -> None:
    shop = site(reviews={"errors": [{"message": "no"}], "data": None})
    shop.reviews.hold = None
    query = '{ me { name ... @defer(label: "a") { count } ... @defer(label: "b") { count } } }'

    async with aclosing(shop.ask(query)) as results:
        parts = [part async for result in results for part in result.parts]

    assert sorted(part.label or "" for part in parts) == ["a", "b"]
    assert all(part.data is None for part in parts)
    assert [len(part.errors) for part in parts] == [1, 1]


@pytest.mark.parametrize(
    ("variables", "payloads"), [({}, 2), ({"late": True}, 2), ({"late": False}, 1)]
)
async def test_a_condition_decides_whether_there_are_parts(
    variables: dict[str, Any], payloads: int
) -> None:
    shop = site()
    shop.reviews.hold = None
    query = "query ($late: Boolean! = true) { me { name ... @defer(if: $late) { count } } }"

    async with aclosing(shop.ask(query, variables)) as results:
        got = [result async for result in results]

    assert len(got) == payloads


async def test_introspection_can_be_deferred() -> None:
    shop = site()

    query = "{ me { name } ... @defer { __schema { queryType { name } } } }"
    async with aclosing(shop.ask(query)) as results:
        _, last = [result async for result in results]

    assert last.parts[0].data == {"__schema": {"queryType": {"name": "Query"}}}


async def test_a_defect_is_raised() -> None:
    shop = site(reviews=lambda _: 1 / 0)
    shop.reviews.hold = None

    async with aclosing(shop.ask(QUERY)) as results:
        with pytest.raises(ZeroDivisionError):
            [result async for result in results]


async def test_timings_of_all_fetches_come_with_the_last_part() -> None:
    shop = site()
    shop.reviews.hold = None

    async with aclosing(shop.ask(QUERY, collect_extensions=True)) as results:
        *_, last = [result async for result in results]

    assert [timing["subgraph"] for timing in last.extensions["fetches"]] == ["users", "reviews"]


async def test_thousands_of_objects_are_answered_in_one_part_each() -> None:
    count = 3000
    users = [{"__typename": "User", "id": str(n), "name": "x"} for n in range(count)]
    rows = [{"__typename": "User", "count": n} for n in range(count)]
    shop = site(users={"data": {"users": users}}, reviews={"data": {"_entities": rows}})
    shop.reviews.hold = None

    async with aclosing(shop.ask("{ users { name ... @defer { count } } }")) as results:
        parts = [part async for result in results for part in result.parts]

    assert [(part.path, part.data) for part in parts] == [
        (("users", n), {"count": n}) for n in range(count)
    ]
