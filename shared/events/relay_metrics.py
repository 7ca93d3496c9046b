"""What operators see of the relay: how long events wait in the outbox, and how often a consumer
fails.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

__all__ = ["RelayMetrics", "of"]

_LABELS = ("domain", "shard")
_DELAY = Histogram(
    "socialnet_outbox_delay_seconds",
    "From the insert of an event to its delivery",
    _LABELS,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120),
)
_FAILED = Counter(
    "socialnet_outbox_failures_total",
    "Deliveries that a consumer refused, or batches that could not be handed over",
    _LABELS,
)
_HELD_BACK = Gauge(
    "socialnet_outbox_held_back", "Entities whose events wait for a refused one", _LABELS
)


@dataclass(frozen=True, slots=True)
class RelayMetrics:
    """The metrics of one domain on one shard."""

    delay: Histogram
    failed: Counter
    held_back: Gauge


def of(domain: str, shard: str) -> RelayMetrics:
    """The metrics with their labels set."""
    labels = (domain, shard)
    return RelayMetrics(_DELAY.labels(*labels), _FAILED.labels(*labels), _HELD_BACK.labels(*labels))
