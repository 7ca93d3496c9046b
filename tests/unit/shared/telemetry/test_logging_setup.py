from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.telemetry import configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where logs go; the process's own logging is restored afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_all_logs_are_json_lines_with_service_and_request(stream: io.StringIO) -> None:
    configure_logging("users", json=True, stream=stream)
    structlog.contextvars.bind_contextvars(request_id="req-1")

    structlog.get_logger("ours").info("something happened", user="1-x", when=object)
    logging.getLogger("library").warning("careful: %s", "edge")
    logging.getLogger("library").debug("not shown")

    ours, library = _lines(stream)
    assert (ours["event"], ours["user"], ours["service"]) == ("something happened", "1-x", "users")
    assert (ours["request_id"], ours["level"], ours["logger"]) == ("req-1", "info", "ours")
    assert ours["timestamp"].endswith("Z")
    assert (library["event"], library["level"]) == ("careful: edge", "warning")
    assert library["request_id"] == "req-1"


def test_exceptions_are_in_the_line_with_their_traceback(stream: io.StringIO) -> None:
    configure_logging("users", json=True, stream=stream)

    structlog.get_logger().error("unexpected error", exc_info=ZeroDivisionError("division"))

    (line,) = _lines(stream)
    assert "ZeroDivisionError: division" in line["exception"]


def test_developers_get_lines_to_read(stream: io.StringIO) -> None:
    configure_logging("users", json=False, stream=stream)

    structlog.get_logger().info("something happened")

    assert "something happened" in stream.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(stream.getvalue())
