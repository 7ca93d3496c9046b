"""What a process tells about itself: structured logs, the request id, the W3C trace context passed
on.
"""

from shared.telemetry.logging import configure_logging
from shared.telemetry.middleware import RequestContextMiddleware
from shared.telemetry.request_context import (
    current_request_id,
    current_traceparent,
    new_request_id,
    propagation_headers,
)

__all__ = [
    "RequestContextMiddleware",
    "configure_logging",
    "current_request_id",
    "current_traceparent",
    "new_request_id",
    "propagation_headers",
]
