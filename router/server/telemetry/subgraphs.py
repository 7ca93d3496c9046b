"""Metrics of subgraphs: their answers, and what the executor decides about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from router.executor import CircuitState
from router.server.telemetry.operations import SECONDS

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["SubgraphMetrics"]

_NUMBERS: Final = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


class SubgraphMetrics:
    """The executor's ``TrafficObserver``. Its label values are the supergraph's subgraphs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "router_subgraph_requests",
            "Requests to subgraphs by HTTP status, or by why there was no answer",
            ("subgraph", "code"),
            registry=registry,
        )
        self.seconds = Histogram(
            "router_subgraph_request_duration_seconds",
            "Time of a request to a subgraph",
            ("subgraph",),
            buckets=SECONDS,
            registry=registry,
        )
        self._retries = Counter(
            "router_subgraph_retries",
            "Queries that were sent to a subgraph once more",
            ("subgraph",),
            registry=registry,
        )
        self._refused = Counter(
            "router_circuit_breaker_refused",
            "Requests that were not sent because the circuit was open",
            ("subgraph",),
            registry=registry,
        )
        self._state = Gauge(
            "router_circuit_breaker_state",
            "Circuit of a subgraph: 0 closed, 1 half-open, 2 open; of several workers the highest",
            ("subgraph",),
            multiprocess_mode="livemax",
            registry=registry,
        )

    def retried(self, subgraph: str) -> None:
        """Count a retry."""
        self._retries.labels(subgraph).inc()

    def refused(self, subgraph: str) -> None:
        """Count a request that was not sent."""
        self._refused.labels(subgraph).inc()

    def circuit_changed(self, subgraph: str, state: CircuitState) -> None:
        """Keep the state."""
        self._state.labels(subgraph).set(_NUMBERS[state])
