"""What is logged of a request."""

import httpx
from structlog.testing import capture_logs

from tests.support.router_server import ThingsSubgraph, make_app


async def _logs(body: object, **settings: object) -> list[dict[str, object]]:
    app = make_app(ThingsSubgraph(), **settings)
    transport = httpx.ASGITransport(app)
    with capture_logs() as logs:
        async with httpx.AsyncClient(transport=transport, base_url="http://router") as client:
            await client.post(
                "/graphql",
                json=body,
                headers={"authorization": "Bearer secret", "x-request-id": "id-1"},
            )
    return [dict(line) for line in logs]


async def test_one_line_says_what_was_asked_and_what_came_of_it() -> None:
    [line] = await _logs({"query": "query Me { greeting }"}, access_log=True)

    assert line.pop("ms") is not None
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "bytes": 37,
        "kind": "query",
        "operation": "Me",
        "outcome": "ok",
        "client": "127.0.0.1",
        "request_id": "id-1",
    }


async def test_neither_tokens_nor_variables_are_logged() -> None:
    body = {"query": "query($n: String) { greeting(name: $n) }", "variables": {"n": "private"}}

    lines = await _logs(body, access_log=True)

    assert "secret" not in str(lines)
    assert "private" not in str(lines)


async def test_a_refused_request_has_a_line_too() -> None:
    [line] = await _logs({"query": "{ nope }"}, access_log=True)

    assert (line["outcome"], line["operation"]) == ("refused", None)


async def test_the_log_can_be_off() -> None:
    assert await _logs({"query": "{ greeting }"}, access_log=False) == []
