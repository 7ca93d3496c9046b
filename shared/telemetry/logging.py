"""Structured logging for a whole process.

Called once by the composition root (never by a library module): structlog and the standard library
write through the same processors, one JSON object per line in production and readable lines in
development.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

import orjson
import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["configure_logging"]


def configure_logging(
    service: str, *, json: bool, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send all logs of the process to ``stream`` (standard error by default), each line naming
    ``service``.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _with_service(service),
    ]
    rendering: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json_line),
        ]
        if json
        else [structlog.dev.ConsoleRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Says every failed attempt to connect, many per second; we say what fails, once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _with_service(service: str) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return add_service


def _json_line(value: object, default: Callable[[object], object], **_: object) -> str:
    return orjson.dumps(value, default=default).decode()
