"""What is logged of a request."""

import json
import subprocess
import sys

import httpx
import pytest
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


@pytest.mark.parametrize("level", ["info", "error"])
def test_libraries_and_we_write_alike_and_mind_the_level(level: str) -> None:
    program = f"""
import logging, structlog
from router.server.access_log import configure_logging
from router.server.settings import LogFormat
ours = structlog.get_logger("ours")
configure_logging(LogFormat.JSON, {level!r})
ours.info("told", number=1)
logging.getLogger("theirs").info("told %s", "by them")
try:
    1 / 0
except ZeroDivisionError:
    ours.exception("failed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]

    failure = lines.pop()
    assert (failure["logger"], failure["level"], failure["event"]) == ("ours", "error", "failed")
    assert "ZeroDivisionError" in failure["exception"]
    for line in lines:
        assert line.pop("timestamp").endswith("Z")
    if level == "error":
        assert lines == []
    else:
        assert lines == [
            {"event": "told", "number": 1, "logger": "ours", "level": "info"},
            {"event": "told by them", "logger": "theirs", "level": "info"},
        ]
