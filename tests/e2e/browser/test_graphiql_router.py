"""GraphiQL as the router itself serves it: its policy, its WebSocket, its extensions."""

from __future__ import annotations

import pytest

from router.server.app import create_router_app
from router.server.settings import Environment, RouterSettings
from tests.support.browser_page import Page
from tests.support.graphiql_app import serving
from tests.support.graphiql_page import GraphiQL
from tests.support.router_server import SUPERGRAPH, ThingsSubgraph

pytestmark = pytest.mark.browser


async def test_router_serves_graphiql_with_plan_and_live_events(page: Page) -> None:
    things = ThingsSubgraph()
    settings = RouterSettings(environment=Environment.TEST, access_log=False)
    app = create_router_app(settings, SUPERGRAPH, transports={"things": things})
    async with serving(app) as origin:
        graphiql = GraphiQL(page, f"{origin}/graphql")
        await graphiql.open(query='{ greeting(name: "Ada") }')
        await graphiql.press_execute()
        await graphiql.result(containing="Hello, Ada!")
        await page.wait_for("document.querySelector('.plan-panel tr[data-subgraph=things]')")

        await graphiql.open(query="subscription { waiting }")
        await graphiql.press_execute()
        await graphiql.result(containing='"waiting": 0')
        things.release.set()
        await graphiql.result(containing='"waiting": 1')

        graphiql.assert_undisturbed()
