"""Sharing of equal executions in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest

from router.executor import ExecutionResult, Executor, ExecutorSettings, Program, RequestContext
from router.executor.masking import ErrorMasking
from router.executor.outcome import FetchOutcome
from router.planner.plan import OperationKind
from tests.federation.harness.plans import call, fetch, query_plan
from tests.federation.harness.scripted import PlainSupergraph, ScriptedTransport, program_of

SUPERGRAPH = PlainSupergraph(
    """
    type Query { product(upc: ID): Product } type Mutation { product: Product }
    type Product { upc: ID! price: Int }
    """
)
PRODUCT = {"data": {"product": {"upc": "1"}}}
PRICE = {"data": {"_entities": [{"price": 10}]}}
WHOLE = {"product": {"upc": "1", "price": 10}}
CONTEXT = RequestContext(headers=(("authorization", "a"),), subject="u", claims={"roles": ["x"]})


def program(kind: OperationKind = OperationKind.QUERY) -> Program:
    plan = query_plan(
        fetch(0, "products", "{ product { upc } }", kind=kind),
        fetch(1, "prices", call("product", {"Product": "upc"}, "{ price }"), after=[0]),
        kind=kind,
    )
    return program_of(SUPERGRAPH, f"{kind} {{ product {{ upc price }} }}", plan)


class IgnoredHeaders:
    """Takes headers of answers, so needs answers of its own."""

    minds_queries = True

    def add(self, outcome: FetchOutcome, *, is_query: bool) -> Sequence[tuple[str, str]]:
        """Take none."""
        return ()


@dataclass
class Shop:
    """An executor over two subgraphs, each of which waits to be released."""

    products: ScriptedTransport
    prices: ScriptedTransport
    executor: Executor
    program: Program

    def ask(
        self, context: RequestContext = CONTEXT, variables: dict[str, Any] | None = None
    ) -> asyncio.Task[ExecutionResult]:
        return asyncio.create_task(self.executor.execute(self.program, variables or {}, context))

    def release(self) -> None:
        for transport in (self.products, self.prices):
            assert transport.hold is not None
            transport.hold.set()


def make_shop(
    *,
    kind: OperationKind = OperationKind.QUERY,
    price: Any = PRICE,
    settings: ExecutorSettings | None = None,
) -> Shop:
    products = ScriptedTransport([PRODUCT], hold=asyncio.Event())
    prices = ScriptedTransport([price], hold=asyncio.Event())
    transports = {"products": products, "prices": prices}
    return Shop(products, prices, Executor(SUPERGRAPH, transports, settings), program(kind))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(8):
        await asyncio.sleep(0)


def written(result: ExecutionResult) -> Any:
    return orjson.loads(orjson.dumps(result.to_dict()))


@pytest.mark.parametrize(
    "second",
    [
        CONTEXT,
        replace(CONTEXT, request_id="other", trace_headers=(("traceparent", "00-1"),)),
        replace(CONTEXT, claims={"roles": ["x"]}),
    ],
)
async def test_equal_queries_are_run_once(second: RequestContext) -> None:
    shop = make_shop()
    tasks = [shop.ask(), shop.ask(second)]
    await settle()
    shop.release()
    first, other = await asyncio.gather(*tasks)

    assert first is other
    assert first.data == WHOLE
    assert written(first) == {"data": WHOLE}
    assert len(shop.products.requests) == len(shop.prices.requests) == 1


@pytest.mark.parametrize(
    ("second", "variables"),
    [
        (replace(CONTEXT, headers=(("authorization", "b"),)), {}),
        (replace(CONTEXT, subject="another"), {}),
        (replace(CONTEXT, claims={"roles": []}), {}),
        (replace(CONTEXT, collect_extensions=True), {}),
        (replace(CONTEXT, response_headers=IgnoredHeaders()), {}),
        (CONTEXT, {"unused": 1}),
    ],
)
async def test_queries_that_differ_are_not_shared(
    second: RequestContext, variables: dict[str, Any]
) -> None:
    shop = make_shop()
    tasks = [shop.ask(), shop.ask(second, variables)]
    await settle()
    shop.release()
    first, other = await asyncio.gather(*tasks)

    assert first.data == other.data == WHOLE
    assert first.data is not other.data


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (OperationKind.MUTATION, ExecutorSettings()),
        (OperationKind.QUERY, ExecutorSettings(deduplicate=False)),
    ],
)
async def test_mutations_are_not_shared_nor_anything_when_it_is_off(
    kind: OperationKind, settings: ExecutorSettings
) -> None:
    shop = make_shop(kind=kind, settings=settings)
    tasks = [shop.ask(), shop.ask()]
    await settle()
    shop.release()
    await asyncio.gather(*tasks)

    assert len(shop.products.requests) == 2


async def test_nobody_joins_once_a_fetch_has_been_answered() -> None:
    shop = make_shop()
    assert shop.products.hold is not None
    first = shop.ask()
    await settle()
    shop.products.hold.set()
    await settle()
    assert len(shop.prices.requests) == 1  # the first one waits for its second fetch

    second = shop.ask()
    await settle()
    assert len(shop.products.requests) == 2
    third = shop.ask()
    shop.release()

    assert (await first).data == (await second).data == (await third).data == WHOLE


async def test_when_the_one_who_leads_hangs_up_another_leads_the_rest() -> None:
    shop = make_shop()
    leader, *followers = [shop.ask() for _ in range(4)]
    await settle()

    leader.cancel()
    await settle()
    assert shop.products.cancelled == 1
    shop.release()
    results = await asyncio.gather(*followers)

    assert results[0].data == WHOLE
    assert all(result is results[0] for result in results)
    assert len(shop.products.requests) == 2


async def test_who_hangs_up_leaves_the_others_alone() -> None:
    shop = make_shop()
    leader, gone, follower = [shop.ask() for _ in range(3)]
    await settle()

    gone.cancel()
    await settle()
    shop.release()

    assert (await leader) is (await follower)
    assert shop.products.cancelled == 0
    assert gone.cancelled()


async def test_errors_name_the_request_of_each() -> None:
    price = {"data": {"_entities": [None]}, "errors": [{"message": "secret"}]}
    shop = make_shop(price=price, settings=ExecutorSettings(masking=ErrorMasking()))
    tasks = [shop.ask(replace(CONTEXT, request_id=name)) for name in ("one", "two")]
    await settle()
    shop.release()
    results = await asyncio.gather(*tasks)

    named = [[error["extensions"]["requestId"] for error in one.errors] for one in results]
    assert named == [["one"], ["two"]]
    assert [one.data for one in results] == [{"product": {"upc": "1", "price": None}}] * 2
    assert len(shop.products.requests) == 1


async def test_nobody_waits_for_one_that_has_more_time() -> None:
    shop = make_shop()
    now = asyncio.get_running_loop().time()
    patient = shop.ask(replace(CONTEXT, deadline=now + 60))
    hasty = shop.ask(replace(CONTEXT, deadline=now))

    result = await hasty
    assert [error["extensions"]["code"] for error in result.errors] == ["SUBGRAPH_TIMEOUT"]
    shop.release()
    assert (await patient).data == WHOLE


async def test_what_one_had_no_time_for_is_done_for_the_others() -> None:
    shop = make_shop()
    hasty = shop.ask(replace(CONTEXT, deadline=asyncio.get_running_loop().time() + 0.01))
    patient = shop.ask()

    assert (await hasty).errors
    shop.release()
    assert (await patient).data == WHOLE


async def test_a_defect_is_met_by_each(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop()
    tasks = [shop.ask(), shop.ask()]
    await settle()

    def broken(*_: object) -> None:
        raise RuntimeError("defect")

    variant = shop.program.variant({})
    monkeypatch.setattr(variant, "projection", broken)
    shop.release()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [RuntimeError, RuntimeError]
