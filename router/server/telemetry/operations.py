"""Metrics of operations, by kind, name and outcome.

Names are chosen by clients: how many are told apart is bounded. They are looked up once per cached
operation, not once per request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from router.planner.plan import OperationKind

__all__ = ["SECONDS", "OperationMetrics", "Operations", "Outcome"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The buckets for how long requests take."""
_OTHER = "_other"


class Outcome:
    """The values of the label ``outcome``: a closed set, as constants because they are used as
    plain label values.
    """

    OK = "ok"  # answered without an error
    ERRORS = "errors"  # answered, with errors of fields
    REFUSED = "refused"  # a request error: nothing ran
    CANCELLED = "cancelled"  # the client went away
    FAILED = "failed"  # an unexpected exception

    ALL = (OK, ERRORS, REFUSED, CANCELLED, FAILED)


class OperationMetrics:
    """The counters of one operation kind and name, looked up once."""

    __slots__ = ("_outcomes", "_seconds")

    def __init__(self, requests: Counter, seconds: Histogram, kind: str, name: str) -> None:
        self._outcomes = {outcome: requests.labels(kind, name, outcome) for outcome in Outcome.ALL}
        self._seconds = seconds.labels(kind)

    def record(self, outcome: str, seconds: float) -> None:
        """Count one request that took so long altogether."""
        self._outcomes[outcome].inc()
        self._seconds.observe(seconds)


class Operations:
    """The counters of all operations."""

    def __init__(self, registry: CollectorRegistry, max_labels: int) -> None:
        self._max_labels = max_labels
        self._known: dict[tuple[str, str], OperationMetrics] = {}
        self._requests = Counter(
            "router_operations",
            "GraphQL operations",
            ("kind", "operation", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "router_operation_duration_seconds",
            "Time from the request's first byte to the answer's last one",
            ("kind",),
            buckets=SECONDS,
            registry=registry,
        )

    def of(self, kind: OperationKind, name: str | None) -> OperationMetrics:
        """Return an operation's counters; names beyond the bound share one label value."""
        key = (str(kind), name or "")
        known = self._known.get(key)
        if known is not None:
            return known
        if len(self._known) >= self._max_labels:
            key = (str(kind), _OTHER)
            known = self._known.get(key)
            if known is not None:
                return known
        metrics = OperationMetrics(self._requests, self._seconds, *key)
        self._known[key] = metrics
        return metrics
