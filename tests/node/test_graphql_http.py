"""The audit of GraphQL over HTTP by the npm package `graphql-http`: no error, warning or notice."""

from __future__ import annotations

import asyncio

import pytest

from tests.node.run import audit_http
from tests.support.router_server import ThingsSubgraph, make_app, served

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm_packages")]


@pytest.mark.parametrize(
    ("csrf_prevention", "headers"),
    [(True, {"apollo-require-preflight": "1"}), (False, {})],
    ids=["a client that proves itself", "without CSRF prevention"],
)
async def test_the_audit_finds_nothing(csrf_prevention: bool, headers: dict[str, str]) -> None:
    app = make_app(ThingsSubgraph(), csrf_prevention=csrf_prevention)

    async with served(app) as address:
        results = await asyncio.to_thread(audit_http, f"http://{address}/graphql", headers)

    assert len(results) > 50
    assert [result for result in results if result["status"] != "ok"] == []
