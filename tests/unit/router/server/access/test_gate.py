"""What of an operation runs for whom, over HTTP: modes, reports, policies, variants."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import jwt
import orjson
import pytest
from aiohttp import web

from router.server.access.identity import Identity
from router.server.app import RouterApp
from tests.federation.harness import DataSubgraph
from tests.support.guarded_router import data_subgraph, guarded_app, guarded_client
from tests.support.token_issuers import SECRET, claims_of, issuer_setting

RESPONSE = {"accept": "application/graphql-response+json"}
CODE = "UNAUTHORIZED_FIELD_OR_TYPE"
ALL = "{ public mine secret owned user { name email } }"


@pytest.fixture
def things() -> DataSubgraph:
    return data_subgraph()


def app_of(things: DataSubgraph, **options: Any) -> RouterApp:
    return guarded_app(things, jwt_issuers=[issuer_setting()], **options)


def bearer(**claims: Any) -> dict[str, str]:
    token = jwt.encode(claims_of(**claims), SECRET, "HS256")
    return {**RESPONSE, "authorization": f"Bearer {token}"}


async def ask(
    client: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None, **members: Any
) -> httpx.Response:
    return await client.post(
        "/graphql", json={"query": query, **members}, headers=headers or RESPONSE
    )


def paths(body: dict[str, Any]) -> list[list[str]]:
    assert {error["extensions"]["code"] for error in body["errors"]} == {CODE}
    return [error["path"] for error in body["errors"]]


async def test_a_caller_sees_what_the_token_allows(things: DataSubgraph) -> None:
    async with guarded_client(app_of(things)) as client:
        anonymous = (await ask(client, ALL)).json()
        scoped = (await ask(client, ALL, bearer(scope="secret email"))).json()
        owner = (await ask(client, ALL, bearer(policies=["owner"]))).json()

    assert anonymous["data"] == {
        "public": "p",
        "mine": None,
        "secret": None,
        "owned": None,
        "user": {"name": "Ada", "email": None},
    }
    assert paths(anonymous) == [["mine"], ["secret"], ["owned"], ["user", "email"]]
    assert scoped["data"]["user"] == {"name": "Ada", "email": "ada@example.org"}
    assert paths(scoped) == [["owned"]]
    assert paths(owner) == [["secret"], ["user", "email"]]
    asked = [request.query for request in things.requests]
    assert "mine" not in asked[0]
    assert "email" not in asked[0]


async def test_callers_who_pass_the_same_rules_share_a_variant(things: DataSubgraph) -> None:
    app = app_of(things)
    async with guarded_client(app) as client:
        for scope in ("a", "b c", "other", "secret x", "y secret"):
            await ask(client, "{ public secret }", bearer(scope=scope))
        prepared = app._generations.current.preparer.prepare("{ public secret }", None)

    assert prepared.guarded is not None
    assert len(prepared.guarded._variants) == 1  # who passes all runs the operation itself


async def test_an_open_operation_has_no_guards(things: DataSubgraph) -> None:
    app = app_of(things)
    async with guarded_client(app) as client:
        assert (
            await ask(client, "{ public user { name } __schema { queryType { name } } }")
        ).json()
        prepared = app._generations.current.preparer.prepare("{ public user { name } }", None)

    assert prepared.guarded is None


@pytest.mark.parametrize(("headers", "status"), [(RESPONSE, 401), (bearer(), 403)])
async def test_reject_refuses_the_whole_request(
    things: DataSubgraph, headers: dict[str, str], status: int
) -> None:
    async with guarded_client(app_of(things, access_mode="reject")) as client:
        response = await ask(client, "{ public secret user { mail: email } }", headers)

    assert response.status_code == status
    assert "data" not in response.json()
    assert paths(response.json()) == [["secret"], ["user", "mail"]]
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert not things.requests


async def test_reject_minds_conditions(things: DataSubgraph) -> None:
    query = "query ($all: Boolean!) { public secret @include(if: $all) }"
    async with guarded_client(app_of(things, access_mode="reject")) as client:
        without = await ask(client, query, variables={"all": False})
        with_it = await ask(client, query, variables={"all": True})

    assert without.json() == {"data": {"public": "p"}}
    assert paths(with_it.json()) == [["secret"]]


async def test_a_condition_that_leaves_a_field_out_leaves_its_error_out(
    things: DataSubgraph,
) -> None:
    query = "query ($all: Boolean!) { public secret @include(if: $all) }"
    async with guarded_client(app_of(things)) as client:
        without = (await ask(client, query, variables={"all": False})).json()
        with_it = (await ask(client, query, variables={"all": True})).json()

    assert without == {"data": {"public": "p"}}
    assert with_it["data"] == {"public": "p", "secret": None}
    assert paths(with_it) == [["secret"]]


async def test_a_dry_run_shows_everything_and_reports(things: DataSubgraph) -> None:
    async with guarded_client(app_of(things, access_mode="dry_run")) as client:
        body = (await ask(client, "{ secret user { email } }")).json()

    assert body["data"] == {"secret": "s", "user": {"email": "ada@example.org"}}
    assert paths(body) == [["secret"], ["user", "email"]]


async def test_off_asks_nothing(things: DataSubgraph) -> None:
    async with guarded_client(app_of(things, access_mode="off")) as client:
        assert (await ask(client, "{ secret }")).json() == {"data": {"secret": "s"}}


async def test_the_report_may_be_in_the_extensions_or_nowhere(things: DataSubgraph) -> None:
    async with guarded_client(app_of(things, access_report="extensions")) as client:
        extended = (await ask(client, "{ public secret }")).json()
    async with guarded_client(app_of(things, access_report="disabled")) as client:
        silent = (await ask(client, "{ public secret }")).json()

    assert extended["data"] == silent["data"] == {"public": "p", "secret": None}
    assert "errors" not in extended
    assert [e["path"] for e in extended["extensions"]["authorizationErrors"]] == [["secret"]]
    assert silent.keys() == {"data"}


async def test_a_mutation_that_is_withheld_does_not_run(things: DataSubgraph) -> None:
    async with guarded_client(app_of(things)) as client:
        anonymous = (await ask(client, "mutation { wipe }")).json()
        assert not things.requests
        known = (await ask(client, "mutation { wipe }", bearer())).json()

    assert anonymous["data"] == {"wipe": None}
    assert paths(anonymous) == [["wipe"]]
    assert known == {"data": {"wipe": 1}}


async def test_without_tokens_everybody_is_anonymous(things: DataSubgraph) -> None:
    async with guarded_client(guarded_app(things)) as client:
        body = (await ask(client, "{ mine }", {"authorization": "Bearer anything"})).json()

    assert body["data"] == {"mine": None}


async def test_fragments_in_fragments_are_reported_once(things: DataSubgraph) -> None:
    fragments = "fragment F0 on User { email }" + "".join(
        f" fragment F{n} on User {{ ...F{n - 1} ...F{n - 1} }}" for n in range(1, 9)
    )
    async with guarded_client(app_of(things)) as client:
        body = (await ask(client, "{ user { ...F8 } } " + fragments)).json()

    assert paths(body) == [["user", "email"]]


class Recorder:
    """Decides as it is told, and keeps what it was asked."""

    def __init__(self, *held: str) -> None:
        self.held = frozenset(held)
        self.asked: list[tuple[frozenset[str], str | None]] = []

    async def evaluate(
        self, policies: frozenset[str], identity: Identity | None, request_id: str
    ) -> frozenset[str]:
        self.asked.append((policies, None if identity is None else identity.subject))
        return self.held


async def test_an_evaluator_of_ones_own_decides_policies(things: DataSubgraph) -> None:
    policies = Recorder("owner")
    async with guarded_client(app_of(things, policies=policies)) as client:
        body = (await ask(client, "{ owned }", bearer())).json()
        await ask(client, "{ public mine }")

    assert body == {"data": {"owned": "o"}}
    assert policies.asked == [(frozenset({"owner"}), "ada")]


@pytest.fixture
async def policy_service() -> AsyncGenerator[tuple[str, list[Any], dict[str, Any]], None]:
    """The address of a policy service, what it was asked, and how it answers."""
    asked: list[Any] = []
    answer: dict[str, Any] = {"status": 200, "body": {"policies": {"owner": True}}}

    async def decide(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.Response(status=answer["status"], body=orjson.dumps(answer["body"]))

    application = web.Application()
    application.router.add_post("/", decide)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/", asked, answer
    await runner.cleanup()


async def test_a_service_decides_policies(
    things: DataSubgraph, policy_service: tuple[str, list[Any], dict[str, Any]]
) -> None:
    url, asked, answer = policy_service
    async with guarded_client(app_of(things, policy_url=url)) as client:
        allowed = (await ask(client, "{ owned }", bearer())).json()
        answer["body"] = {"policies": {"owner": "yes"}}
        denied = (await ask(client, "{ owned }")).json()

    assert allowed == {"data": {"owned": "o"}}
    assert denied["data"] == {"owned": None}
    assert [question["policies"] for question in asked] == [["owner"], ["owner"]]
    assert asked[0]["claims"]["sub"] == "ada"
    assert asked[1]["claims"] is None


@pytest.mark.parametrize(("status", "body"), [(500, {}), (200, []), (200, {"policies": []})])
async def test_a_service_that_fails_lets_nobody_in(
    things: DataSubgraph,
    policy_service: tuple[str, list[Any], dict[str, Any]],
    status: int,
    body: Any,
) -> None:
    url, _, answer = policy_service
    answer.update(status=status, body=body)
    async with guarded_client(app_of(things, policy_url=url)) as client:
        response = await ask(client, "{ owned }", bearer())

    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "POLICY_EVALUATION_FAILED"
    assert not things.requests
