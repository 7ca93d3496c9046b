"""Prometheus metrics of one router process.

Every :class:`Metrics` has a registry of its own, so that several routers fit into one process.
Labels that clients choose (operation names) are bounded; label lookups happen once per cached
operation, not once per request.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

from router.server.tracing import stage_span
from router.server.traffic_metrics import TrafficMetrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.trace import Tracer

    from router.planner.plan import OperationKind

__all__ = ["Metrics", "OperationMetrics", "Outcome", "shared_by_workers"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_STAGE_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_COST_BUCKETS = (1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000, 1_000_000)
_OTHER = "_other"
_MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it


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


class _SupergraphInfo(Collector):
    """Which supergraph this worker serves: made when asked, so that no old one stays behind."""

    _labelnames = ("hash",)

    def __init__(self) -> None:
        self.digest = ""

    @override
    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "router_supergraph_info",
            "The supergraph of the worker that answers",
            labels=self._labelnames,
        )
        family.add_metric([self.digest], 1)
        return [family]


class Metrics:
    """All metrics of a router; with a ``tracer``, stages are spans below the request's as well."""

    def __init__(self, *, max_operation_labels: int, tracer: Tracer | None = None) -> None:
        self.tracer = tracer
        self.registry = CollectorRegistry(auto_describe=True)
        self._max_labels = max_operation_labels
        self._operations: dict[tuple[str, str], OperationMetrics] = {}
        self._requests = Counter(
            "router_operations",
            "GraphQL operations",
            ("kind", "operation", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "router_operation_duration_seconds",
            "Time from the request's first byte to the answer's last one",
            ("kind",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "router_stage_duration_seconds",
            "Time of a pipeline stage; parse, validate and plan only run for texts not seen lately",
            ("stage",),
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self._stage_histograms: dict[str, Histogram] = {}
        self.request_errors = Counter(
            "router_request_errors",
            "Requests refused as a whole",
            ("code",),
            registry=self.registry,
        )
        self.operation_cost = Histogram(
            "router_operation_cost",
            "Estimated cost of operations, where costs are measured or enforced",
            ("result",),
            buckets=_COST_BUCKETS,
            registry=self.registry,
        )
        self.rate_limit_failures = Counter(
            "router_rate_limit_failures",
            "Times that Redis could not be asked for rate limits",
            registry=self.registry,
        )
        self.revocations = Counter(
            "router_revocations",
            "Revocations of tokens that came by Redis, counted by each worker",
            registry=self.registry,
        )
        self.revocation_failures = Counter(
            "router_revocation_failures",
            "Times that Redis could not be asked for revocations",
            registry=self.registry,
        )
        self._persisted_counters: dict[str, Counter] = {}
        self._persisted_documents = Counter(
            "router_persisted_documents",
            "Requests for persisted documents, and documents beside the allow-list",
            ("outcome",),
            registry=self.registry,
        )
        self._restricted = Counter(
            "router_restricted_operations",
            "Operations that asked for what their caller may not see",
            ("outcome",),
            registry=self.registry,
        )
        self.subgraph_requests = Counter(
            "router_subgraph_requests",
            "Requests to subgraphs by HTTP status, or by why there was no answer",
            ("subgraph", "code"),
            registry=self.registry,
        )
        self.subgraph_seconds = Histogram(
            "router_subgraph_request_duration_seconds",
            "Time of a request to a subgraph",
            ("subgraph",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.traffic = TrafficMetrics(self.registry)
        self.websockets = Gauge(
            "router_websocket_connections",
            "Open WebSocket connections",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.websocket_operations = Gauge(
            "router_websocket_operations",
            "Operations running on WebSocket connections",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.websockets_closed = Counter(
            "router_websocket_closed",
            "WebSocket connections that the router closed",
            ("code",),
            registry=self.registry,
        )
        self.streams = Gauge(
            "router_http_streams",
            "Subscriptions over HTTP that are open",
            ("protocol",),
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.streams_closed = Counter(
            "router_http_streams_closed",
            "Subscriptions over HTTP that have ended",
            ("protocol", "reason"),
            registry=self.registry,
        )

        self._reloads = Counter(
            "router_reloads",
            "Changes of the supergraph, counted by each worker",
            ("outcome",),
            registry=self.registry,
        )
        self._loaded_at = Gauge(
            "router_supergraph_loaded_timestamp_seconds",
            "When the supergraph was loaded; of several workers, where it is the oldest",
            multiprocess_mode="livemin",
            registry=self.registry,
        )
        self._supergraph = _SupergraphInfo()
        self.registry.register(self._supergraph)

    def uses_supergraph(self, digest: str, loaded_at: float) -> None:
        """Tell which supergraph new requests run on, and since when (seconds since the epoch)."""
        self._supergraph.digest = digest
        self._loaded_at.set(loaded_at)

    def reloaded(self, outcome: str) -> None:
        """Count a change of the supergraph that was applied or not."""
        self._reloads.labels(outcome).inc()

    def operation(self, kind: OperationKind, name: str | None) -> OperationMetrics:
        """Return an operation's counters; names beyond the bound share one label value."""
        key = (str(kind), name or "")
        known = self._operations.get(key)
        if known is not None:
            return known
        if len(self._operations) >= self._max_labels:
            key = (str(kind), _OTHER)
            known = self._operations.get(key)
            if known is not None:
                return known
        metrics = OperationMetrics(self._requests, self._seconds, *key)
        self._operations[key] = metrics
        return metrics

    def stage(self, name: str, seconds: float) -> None:
        """Record how long a pipeline stage took."""
        histogram = self._stage_histograms.get(name)
        if histogram is None:
            histogram = self._stage_histograms[name] = self._stages.labels(name)
        histogram.observe(seconds)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Record how long the block took; for stages that do not run on every request."""
        started = perf_counter()
        try:
            with stage_span(self.tracer, stage):
                yield
        finally:
            self.stage(stage, perf_counter() - started)

    def refuse(self, code: str) -> None:
        """Count a request that was refused as a whole."""
        self.request_errors.labels(code).inc()

    def persisted_document(self, outcome: str) -> None:
        """Count what came of a persisted document; ``outcome`` is one of a closed set."""
        counter = self._persisted_counters.get(outcome)
        if counter is None:
            counter = self._persisted_documents.labels(outcome)
            self._persisted_counters[outcome] = counter
        counter.inc()

    def restrict(self, outcome: str) -> None:
        """Count an operation that was ``filtered``, ``rejected``, or only ``reported``."""
        self._restricted.labels(outcome).inc()

    def expose(self) -> bytes:
        """Return all metrics in Prometheus' text format, those of all workers together."""
        if _MULTIPROCESS_DIRECTORY not in os.environ:
            return generate_latest(self.registry)
        collected = CollectorRegistry()
        MultiProcessCollector(collected)  # type: ignore[no-untyped-call]  # the library has none
        collected.register(self._supergraph)
        return generate_latest(collected)


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Let processes started in this block count together: each in a file, who is asked adds up.

    The library decides when it is imported, so this is for new processes, not for forks.
    """
    with TemporaryDirectory(prefix="router-metrics-") as directory:
        os.environ[_MULTIPROCESS_DIRECTORY] = directory
        try:
            yield
        finally:
            del os.environ[_MULTIPROCESS_DIRECTORY]
