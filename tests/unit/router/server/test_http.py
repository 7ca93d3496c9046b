"""GraphQL over HTTP: statuses, media types and codes, through the whole application."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from graphql import DocumentNode

from router.server.http import runner
from router.server.pipeline import prepare
from router.server.pipeline.parse import parse_document
from tests.support.router_server import ThingsSubgraph, make_app

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
PREFLIGHT = {"apollo-require-preflight": "1"}


@pytest.fixture
async def things() -> ThingsSubgraph:
    return ThingsSubgraph()


@pytest.fixture
async def client(things: ThingsSubgraph) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with router(things) as client:
        yield client


def router(things: ThingsSubgraph, **settings: Any) -> httpx.AsyncClient:
    app = make_app(things, **settings)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://router")


def code(response: httpx.Response) -> str:
    body = response.json()
    assert "data" not in body
    return str(body["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
async def test_answers_a_post_in_the_wanted_type(client: httpx.AsyncClient, accept: str) -> None:
    response = await client.post(
        "/graphql",
        json={"query": "query($n: String) { greeting(name: $n) }", "variables": {"n": "you"}},
        headers={"accept": accept},
    )

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.json() == {"data": {"greeting": "Hello, you!"}}


async def test_answers_a_get(client: httpx.AsyncClient) -> None:
    parameters = {
        "query": "query A($n: String) { greeting(name: $n) } query B { big(size: 1) }",
        "operationName": "A",
        "variables": '{"n":"ä&b"}',
    }

    response = await client.get("/graphql", params=parameters, headers=PREFLIGHT)

    assert response.json() == {"data": {"greeting": "Hello, ä&b!"}}


async def test_field_errors_are_part_of_a_successful_answer(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql", json={"query": "{ failing greeting }"}, headers={"accept": RESPONSE}
    )

    assert response.status_code == 200
    assert response.json() == {
        "errors": [
            {
                "message": "no luck",
                "path": ["failing"],
                "extensions": {"code": "NOT_FOUND", "service": "things"},
            }
        ],
        "data": {"failing": None, "greeting": "Hello, world!"},
    }


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"query": "{ greeting"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($s: Int!) { big(size: $s) }"}, "BAD_USER_INPUT"),
        ({"query": "{ greeting }", "operationName": "A"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "{ " + "greeting " * 10_001 + "}"}, "TOKEN_LIMIT_EXCEEDED"),
        ({"documentId": "sha256:00"}, "PERSISTED_QUERY_NOT_SUPPORTED"),
    ],
)
async def test_a_wrong_document_is_400_or_200_by_media_type(
    client: httpx.AsyncClient, request_: dict[str, Any], expected: str
) -> None:
    strict = await client.post("/graphql", json=request_, headers={"accept": RESPONSE})
    lenient = await client.post("/graphql", json=request_, headers={"accept": JSON})

    assert (strict.status_code, lenient.status_code) == (400, 200)
    assert (code(strict), code(lenient)) == (expected, expected)


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'"query"', b'{"query":{}}', b""])
async def test_a_malformed_request_is_400_in_either_type(
    client: httpx.AsyncClient, body: bytes, accept: str
) -> None:
    response = await client.post(
        "/graphql", content=body, headers={"content-type": JSON, "accept": accept}
    )

    assert response.status_code == 400
    assert code(response) in {"BAD_REQUEST", "BATCHING_NOT_ENABLED"}
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": JSON, "content-encoding": "br"},
    ],
)
async def test_only_plain_json_is_read(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post(
        "/graphql", content=b'{"query":"{greeting}"}', headers={**headers, **PREFLIGHT}
    )

    assert response.status_code == 415
    assert code(response) == "UNSUPPORTED_MEDIA_TYPE"


async def test_an_unacceptable_answer_is_406(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql", json={"query": "{greeting}"}, headers={"accept": "image/png"}
    )

    assert response.status_code == 406
    assert code(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql", json={"query": "{greeting}"})

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert code(response) == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
async def test_a_mutation_over_get_is_405_and_does_not_run(
    client: httpx.AsyncClient, things: ThingsSubgraph, accept: str
) -> None:
    response = await client.get(
        "/graphql",
        params={"query": "mutation { bump }"},
        headers={**PREFLIGHT, "accept": accept},
    )

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert things.count == 0


async def test_a_subscription_over_http_is_406(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "subscription { waiting }"})

    assert response.status_code == 406
    assert code(response) == "NOT_ACCEPTABLE"


async def test_options_tells_the_methods(client: httpx.AsyncClient) -> None:
    response = await client.options("/graphql")

    assert response.status_code == 204
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_a_get_that_another_site_could_make_is_refused(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    response = await client.get("/graphql", params={"query": "{greeting}"})

    assert response.status_code == 400
    assert code(response) == "CSRF_ERROR"
    assert things.requests == []


async def test_csrf_prevention_can_be_switched_off(things: ThingsSubgraph) -> None:
    async with router(things, csrf_prevention=False) as client:
        response = await client.get("/graphql", params={"query": "{greeting}"})

    assert response.status_code == 200


async def test_a_body_over_the_limit_is_413(things: ThingsSubgraph) -> None:
    async with router(things, max_body_bytes=100) as client:
        response = await client.post("/graphql", json={"query": "{greeting}" + " " * 100})

    assert response.status_code == 413
    assert code(response) == "PAYLOAD_TOO_LARGE"


async def test_the_request_id_goes_through_to_the_subgraph_and_back(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    response = await client.post(
        "/graphql", json={"query": "{greeting}"}, headers={"x-request-id": "mine-1"}
    )

    assert response.headers["x-request-id"] == "mine-1"
    assert ("x-request-id", "mine-1") in things.requests[0].headers


async def test_only_allowed_headers_reach_the_subgraph(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    await client.post(
        "/graphql",
        json={"query": "{greeting}"},
        headers={"authorization": "Bearer t", "cookie": "a=b", "x-other": "1"},
    )

    names = {name for name, _ in things.requests[0].headers}
    assert names == {"authorization", "x-request-id", "x-request-timeout-ms"}


async def test_a_repeated_operation_is_prepared_once(
    client: httpx.AsyncClient, things: ThingsSubgraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counting(text: str, *, max_tokens: int) -> DocumentNode:
        parsed.append(text)
        return parse_document(text, max_tokens=max_tokens)

    monkeypatch.setattr(prepare, "parse_document", counting)
    for _ in range(3):
        await client.post("/graphql", json={"query": "{greeting}"})
        await client.post("/graphql", json={"query": "{nope}"})

    assert parsed == ["{greeting}", "{nope}"]
    assert len(things.requests) == 3


async def test_debugging_shows_plan_and_timings_where_it_is_allowed(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    body, debug = {"query": "{greeting}"}, {"x-router-debug": "1"}

    shown = await client.post("/graphql", json=body, headers=debug)
    not_asked = await client.post("/graphql", json=body)
    async with router(things, environment="production") as production:
        not_allowed = await production.post("/graphql", json=body, headers=debug)

    extensions = shown.json()["extensions"]
    assert 'Fetch(service: "things")' in extensions["plan"]
    assert [fetch["subgraph"] for fetch in extensions["fetches"]] == ["things"]
    assert "extensions" not in not_asked.json()
    assert "extensions" not in not_allowed.json()


async def test_production_hides_the_schema(things: ThingsSubgraph) -> None:
    async with router(things, environment="production") as client:
        introspection = await client.post("/graphql", json={"query": "{__schema{description}}"})
        misspelt = await client.post("/graphql", json={"query": "{greting}"})

    assert code(introspection) == "GRAPHQL_VALIDATION_FAILED"
    assert "greeting" not in misspelt.text


async def test_an_unexpected_exception_is_masked(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(runner, "execute", broken)
    response = await client.post("/graphql", json={"query": "{greeting}"})

    assert response.status_code == 500
    assert response.json() == {
        "errors": [
            {
                "message": "Internal server error",
                "extensions": {
                    "code": "INTERNAL_SERVER_ERROR",
                    "requestId": response.headers["x-request-id"],
                },
            }
        ]
    }


async def test_a_subgraph_that_is_down_fails_its_fields_only(
    client: httpx.AsyncClient, things: ThingsSubgraph
) -> None:
    things.reachable = False

    response = await client.post("/graphql", json={"query": "{ __typename failing }"})

    body = response.json()
    assert body["data"] == {"__typename": "Query", "failing": None}
    assert body["errors"][0]["extensions"]["code"] == "SUBREQUEST_HTTP_ERROR"


async def test_a_request_ends_at_its_deadline(things: ThingsSubgraph) -> None:
    async with router(things, request_timeout=0.05) as client:
        response = await client.post("/graphql", json={"query": "{ slow }"})

    assert response.json()["data"] == {"slow": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "SUBGRAPH_TIMEOUT"
    assert things.cancelled.is_set()


async def test_cors_answers_known_origins_only(things: ThingsSubgraph) -> None:
    async with router(things, cors_origins=("https://app.example",)) as client:
        preflight = await client.options(
            "/graphql",
            headers={
                "origin": "https://app.example",
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type, authorization",
            },
        )
        known = await client.post(
            "/graphql", json={"query": "{greeting}"}, headers={"origin": "https://app.example"}
        )
        unknown = await client.post(
            "/graphql", json={"query": "{greeting}"}, headers={"origin": "https://evil.example"}
        )

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert known.headers["access-control-allow-origin"] == "https://app.example"
    assert known.headers["access-control-expose-headers"] == "x-request-id"
    assert "access-control-allow-origin" not in unknown.headers


async def test_the_path_is_a_setting(things: ThingsSubgraph) -> None:
    async with router(things, path="/api/graphql") as client:
        found = await client.post("/api/graphql", json={"query": "{greeting}"})
        missing = await client.post("/graphql", json={"query": "{greeting}"})

    assert (found.status_code, missing.status_code) == (200, 404)
