"""Logging: how log lines look, and the one line per request.

Libraries log through the standard library, we through structlog; both end in the same renderer on
standard error.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import orjson
import structlog

from router.server import log_context
from router.server.settings import LogFormat

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from starlette.types import Scope

    from router.server.pipeline.prepare import PreparedOperation

__all__ = ["AccessLog", "configure_logging"]


class AccessLog:
    """Writes one line for every request that was answered, or given up."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("router.access")

    def request(
        self,
        scope: Scope,
        *,
        request_id: str,
        status: int,
        seconds: float,
        size: int,
        operation: PreparedOperation | None,
        outcome: str,
    ) -> None:
        """Log an HTTP request. Neither the document nor variables nor tokens are in it."""
        client = scope.get("client")
        self._log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            bytes=size,
            kind=None if operation is None else str(operation.kind),
            operation=None if operation is None else operation.name,
            outcome=outcome,
            client=client[0] if client else None,
            request_id=request_id,
        )

    def websocket(self, scope: Scope, *, request_id: str, code: int, seconds: float) -> None:
        """Log a WebSocket connection that has ended."""
        client = scope.get("client")
        self._log.info(
            "websocket",
            path=scope["path"],
            code=code,
            ms=round(seconds * 1000, 2),
            client=client[0] if client else None,
            request_id=request_id,
        )


def configure_logging(log_format: LogFormat, level: str) -> None:
    """Send all logs of the process to standard error; for processes of our own, not for programs
    that embed the router.
    """
    shared: list[structlog.typing.Processor] = [
        log_context.add_ids,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if log_format is LogFormat.CONSOLE
        else [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dump),
        ]
    )
    # Our own lines, one for each request, do not go through the standard library: that takes three
    # times as long.
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_NamedLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it announces what our own lines say


class _NamedLogger(structlog.WriteLogger):
    """Writes lines to standard error and has a name."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(sys.stderr)
        self.name = name


def _dump(event: MutableMapping[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
