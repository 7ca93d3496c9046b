"""Prometheus metrics of one router process.

Every :class:`Metrics` has a registry of its own, so that several routers fit into one process.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from router.server.telemetry.connections import ConnectionMetrics
from router.server.telemetry.operations import Operations
from router.server.telemetry.subgraphs import SubgraphMetrics
from router.server.telemetry.supergraph import SupergraphMetrics
from router.server.tracing import stage_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Tracer

__all__ = ["Metrics", "shared_by_workers"]

_STAGE_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_COST_BUCKETS = (1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000, 1_000_000)
_MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for it


class Metrics:
    """All metrics of a router; with a ``tracer``, stages are spans below the request's as well."""

    def __init__(self, *, max_operation_labels: int, tracer: Tracer | None = None) -> None:
        self.tracer = tracer
        self.registry = CollectorRegistry(auto_describe=True)
        self.operations = Operations(self.registry, max_operation_labels)
        self.subgraphs = SubgraphMetrics(self.registry)
        self.connections = ConnectionMetrics(self.registry)
        self.supergraph = SupergraphMetrics(self.registry)
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
        collected.register(self.supergraph.info)
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
