"""What operators see of the relay: how long events wait in the outbox, and how often a consumer
fails.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import Counter, Histogram

__all__ = ["RelayMetrics", "of"]

_LABELS = ("domain", "shard")
_DELAY = Histogram(
    "socialnet_outbox_delay_seconds",
    "From the insert of an event to its delivery",
    _LABELS,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120),
)
_FAILED = Counter("socialnet_outbox_failures_total", "Deliveries that a consumer refused", _LABELS)


@dataclass(frozen=True, slots=True)
class RelayMetrics:
    """The metrics of one domain on one shard."""

    delay: Histogram
    failed: Counter


def of(domain: str, shard: str) -> RelayMetrics:
    """The metrics with their labels set."""
    return RelayMetrics(_DELAY.labels(domain, shard), _FAILED.labels(domain, shard))
