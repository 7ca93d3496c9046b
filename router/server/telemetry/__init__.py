"""What is counted and measured, for Prometheus."""

from router.server.telemetry.metrics import Metrics, shared_by_workers
from router.server.telemetry.operations import OperationMetrics, Outcome

__all__ = ["Metrics", "OperationMetrics", "Outcome", "shared_by_workers"]
