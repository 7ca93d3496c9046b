"""GraphiQL's page by itself: its files under the strict policy, against a service that echoes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from tests.support.browser_page import Page
from tests.support.graphiql_app import EchoService, serving
from tests.support.graphiql_page import EDITOR_TEXT, GraphiQL

pytestmark = pytest.mark.browser

PLAN_PANEL = "document.querySelector('.plan-panel')"


@pytest.fixture
async def service() -> EchoService:
    return EchoService()


@pytest.fixture
async def graphiql(service: EchoService, page: Page) -> AsyncIterator[GraphiQL]:
    async with serving(service.app()) as origin:
        yield GraphiQL(page, f"{origin}/graphql")


async def test_page_loads_from_its_own_server_alone(graphiql: GraphiQL) -> None:
    await graphiql.open()

    loaded = "performance.getEntriesByType('resource').map((entry) => entry.name).join()"
    await graphiql.page.wait_for(f"{loaded}.includes('graphql-worker')")
    await graphiql.page.wait_for("[...document.fonts].some((font) => font.status === 'loaded')")
    graphiql.assert_undisturbed()


async def test_operation_in_the_editor_runs_and_shows_its_result(graphiql: GraphiQL) -> None:
    await graphiql.open()

    await graphiql.write_operation('{ greeting(name: "Ada") }')
    await graphiql.run()

    assert '"greeting": "Hello, Ada!"' in await graphiql.result(containing="Hello")
    graphiql.assert_undisturbed()


async def test_operation_edited_just_before_the_run_is_what_runs(graphiql: GraphiQL) -> None:
    await graphiql.open(query="query First { greeting }")

    await graphiql.write_operation('query Second { greeting(name: "Bo") }')
    await graphiql.run()

    assert "errors" not in await graphiql.result(containing="Hello, Bo!")


async def test_variables_are_sent(graphiql: GraphiQL) -> None:
    await graphiql.open(query="query Greet($name: String!) { greeting(name: $name) }")

    await graphiql.write_variables({"name": "Grace"})
    await graphiql.run()

    await graphiql.result(containing="Hello, Grace!")


async def test_new_page_asks_for_the_plan(graphiql: GraphiQL) -> None:
    await graphiql.open(query='{ header(name: "x-router-debug") }')

    await graphiql.press_execute()

    await graphiql.result(containing='"header": "1"')


async def test_headers_are_sent_and_survive_a_reload(graphiql: GraphiQL) -> None:
    await graphiql.open(query='{ header(name: "authorization") }')
    await graphiql.write_headers({"Authorization": "Bearer t0ken"})
    await graphiql.press_execute()
    await graphiql.result(containing="Bearer t0ken")

    stored = "localStorage.getItem('graphiql:tabState')?.includes('t0ken')"
    await graphiql.page.wait_for(stored)
    await graphiql.open()
    await graphiql.press_execute()

    await graphiql.result(containing='"header": "Bearer t0ken"')
    assert await graphiql.page.evaluate("document.querySelectorAll('.graphiql-tab').length") == 1
    assert graphiql.page.log.headers[graphiql.endpoint]["authorization"] == "Bearer t0ken"


async def test_subscription_shows_events_as_they_arrive(
    graphiql: GraphiQL, service: EchoService
) -> None:
    await graphiql.open(query="subscription { tick }")
    await graphiql.press_execute()
    await asyncio.wait_for(service.subscribed.wait(), timeout=10)

    service.ticks.put_nowait("first event")
    await graphiql.result(containing="first event")
    service.ticks.put_nowait("second event")
    await graphiql.result(containing="second event")

    sent = [message["type"] for message in graphiql.page.log.sent]
    assert sent == ["connection_init", "subscribe"]
    assert f"ws{graphiql.endpoint.removeprefix('http')}" in graphiql.page.log.urls
    graphiql.assert_undisturbed()


async def test_stop_button_ends_the_subscription_at_the_server(
    graphiql: GraphiQL, service: EchoService
) -> None:
    await graphiql.open(query="subscription { tick }")
    await graphiql.press_execute()
    await asyncio.wait_for(service.subscribed.wait(), timeout=10)
    await graphiql.page.wait_for("document.querySelector('[aria-label^=Stop]')")

    await graphiql.press_execute()

    await asyncio.wait_for(service.unsubscribed.wait(), timeout=10)
    await graphiql.page.wait_for_log(lambda log: log.sent[-1]["type"] == "complete")
    await graphiql.page.wait_for("document.querySelector('[aria-label^=Execute]')")


async def test_websocket_carries_the_headers_in_lower_case(graphiql: GraphiQL) -> None:
    await graphiql.open(query="subscription { connection }")
    await graphiql.write_headers({"Authorization": "Bearer t0ken", "X-Trace": "7"})

    await graphiql.press_execute()

    await graphiql.result(containing="Bearer t0ken")
    assert graphiql.page.log.sent[0] == {
        "type": "connection_init",
        "payload": {
            "authorization": "Bearer t0ken",
            "headers": {"authorization": "Bearer t0ken", "x-trace": "7"},
        },
    }


async def test_refused_websocket_is_a_readable_error(page: Page) -> None:
    async with serving(EchoService().app()) as origin:
        graphiql = GraphiQL(page, f"{origin}/graphql")
        await graphiql.open(query="subscription { tick }")

    await graphiql.press_execute()

    await graphiql.result(containing="The WebSocket connection failed")


async def test_plan_panel_lists_the_fetches_of_the_result(
    graphiql: GraphiQL, service: EchoService
) -> None:
    service.extensions = {
        "plan": 'QueryPlan { Fetch(service: "posts") {} }',
        "fetches": [
            {"id": 0, "subgraph": "posts", "start": 0, "ms": 3.5, "entities": 0, "status": 200},
            {"id": 2, "subgraph": "media", "start": 7, "ms": 0.125, "entities": 1, "status": 0},
            {"id": 1, "subgraph": "users", "start": 3.5, "ms": 1.5, "entities": 9, "status": 503},
        ],
    }
    await graphiql.open(query="{ greeting }")
    await graphiql.press_execute()
    await graphiql.page.wait_for(PLAN_PANEL)

    rows = await graphiql.page.evaluate(
        f"[...{PLAN_PANEL}.querySelectorAll('tbody tr')]"
        ".map((row) => [...row.cells].slice(0, 4).map((cell) => cell.innerText))"
    )
    assert rows == [
        ["0", "posts", "", "3.5"],
        ["1", "users HTTP 503", "9", "1.5"],
        ["2", "media no answer", "1", "0.1"],
    ]
    bars = await graphiql.page.evaluate(
        f"[...{PLAN_PANEL}.querySelectorAll('.plan-bar > div')]"
        ".map((bar) => Math.round(parseFloat(bar.style.marginLeft)))"
    )
    assert bars == [0, 49, 98]  # what waits for something stands to the right of it
    plan = await graphiql.page.evaluate(f"{PLAN_PANEL}.querySelector('pre').textContent")
    assert plan == service.extensions["plan"]
    graphiql.assert_undisturbed()


@pytest.mark.parametrize(
    "extensions",
    [
        {},
        {"fetches": []},
        {"fetches": "many"},
        {"fetches": [None, 7, {"subgraph": 1}], "plan": 5},
        {"fetches": {"subgraph": "users"}, "plan": None},
    ],
)
async def test_plan_panel_is_absent_without_a_plan(
    graphiql: GraphiQL, service: EchoService, extensions: dict[str, object]
) -> None:
    service.extensions = extensions
    await graphiql.open(query="{ greeting }")

    await graphiql.press_execute()

    await graphiql.result(containing="Hello, world!")
    assert await graphiql.page.evaluate(f"{PLAN_PANEL} === null")
    assert graphiql.page.log.problems == []


async def test_documentation_and_history_are_there(graphiql: GraphiQL) -> None:
    await graphiql.open(query="query Remembered { greeting }")
    await graphiql.press_execute()
    await graphiql.result(containing="Hello, world!")
    shown = "(document.querySelector('.graphiql-plugin')?.innerText ?? '')"

    await graphiql.page.click("button[aria-label*='Documentation']")
    await graphiql.page.wait_for(f"{shown}.includes('Subscription')")
    await graphiql.page.click("button[aria-label*='History']")
    await graphiql.page.wait_for(f"{shown}.includes('Remembered')")

    graphiql.assert_undisturbed()


async def test_server_sets_the_first_query_and_headers(page: Page) -> None:
    service = EchoService(
        config={
            "defaultQuery": 'query Example { header(name: "x-first") } # <"quoted">',
            "defaultHeaders": {"x-first": "it's & <set>"},
        }
    )
    async with serving(service.app()) as origin:
        graphiql = GraphiQL(page, f"{origin}/graphql")
        await graphiql.open()
        await graphiql.press_execute()

        assert '# <"quoted">' in await graphiql.operation()
        await graphiql.result(containing='"header": "it\'s & <set>"')


async def test_page_works_below_a_path_prefix(page: Page) -> None:
    service = EchoService(prefix="/some/api")
    async with serving(service.app()) as origin:
        graphiql = GraphiQL(page, f"{origin}/some/api/graphql")
        await graphiql.open(query="subscription { connection }")
        await graphiql.press_execute()

        await graphiql.result(containing="x-router-debug")
        graphiql.assert_undisturbed()


async def test_link_opens_with_its_operation_and_variables(graphiql: GraphiQL) -> None:
    variables = orjson.dumps({"name": "Link"}).decode()
    await graphiql.open(
        query="query Linked($name: String!) { greeting(name: $name) }", variables=variables
    )

    await graphiql.press_execute()

    await graphiql.result(containing="Hello, Link!")
    assert "Linked" in await graphiql.page.evaluate(EDITOR_TEXT % ".graphiql-query-editor")
