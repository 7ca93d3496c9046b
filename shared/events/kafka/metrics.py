"""What operators see of the consumers: how far they are behind, and what they could not handle."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import Counter, Gauge

__all__ = ["ConsumerMetrics"]

_PROCESSED = Counter(
    "socialnet_events_processed_total", "Events that all consumers are done with", ("domain",)
)
_FAILED = Counter(
    "socialnet_events_failures_total", "Attempts in which a consumer raised", ("domain", "consumer")
)
_DEAD = Counter(
    "socialnet_events_dead_letters_total",
    "Messages moved to the dead-letter topic",
    ("domain", "reason"),
)
_LAG = Gauge(
    "socialnet_events_lag",
    "Messages of a partition that this process has not finished",
    ("domain", "topic", "partition"),
)


@dataclass(frozen=True, slots=True)
class ConsumerMetrics:
    """The metrics of the consumers of one domain."""

    domain: str

    def processed(self) -> None:
        """An event is done."""
        _PROCESSED.labels(self.domain).inc()

    def failed(self, consumer: str) -> None:
        """A consumer has raised."""
        _FAILED.labels(self.domain, consumer).inc()

    def dead(self, reason: str) -> None:
        """A message has become a dead letter."""
        _DEAD.labels(self.domain, reason).inc()

    def lag(self, topic: str, partition: int, messages: int) -> None:
        """How far this process is behind in a partition of its own."""
        _LAG.labels(self.domain, topic, str(partition)).set(messages)

    def gave_up(self, topic: str, partition: int) -> None:
        """The partition is another process's now."""
        _LAG.remove(self.domain, topic, str(partition))
