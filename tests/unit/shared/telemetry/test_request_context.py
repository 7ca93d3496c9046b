from __future__ import annotations

import contextvars

import pytest

from shared.telemetry import (
    RequestContextMiddleware,
    current_request_id,
    current_traceparent,
    propagation_headers,
)
from shared.telemetry.request_context import bind_request

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_outside_of_a_request_there_is_nothing_to_pass_on() -> None:
    context = contextvars.Context()

    assert context.run(current_request_id) is None
    assert context.run(propagation_headers) == {}


def test_the_request_is_passed_on_to_other_services() -> None:
    def serve() -> dict[str, str]:
        bind_request("req-1", TRACE)
        return propagation_headers()

    assert contextvars.Context().run(serve) == {"x-request-id": "req-1", "traceparent": TRACE}


@pytest.mark.parametrize(
    "trace",
    [
        None,
        "",
        "nonsense",
        TRACE.upper(),
        TRACE + "-more",
        "ff" + TRACE[2:],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        TRACE + "\n",
    ],
)
def test_a_malformed_trace_is_left_out(trace: str | None) -> None:
    def serve() -> str | None:
        bind_request("req-1", trace)
        return current_traceparent()

    assert contextvars.Context().run(serve) is None


async def test_the_lifespan_passes_through_untouched() -> None:
    seen: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None:
        assert isinstance(scope, dict)
        seen.append(scope["type"])

    async def nothing(*_: object) -> dict[str, object]:
        return {}

    await RequestContextMiddleware(app)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]

    assert seen == ["lifespan"]
