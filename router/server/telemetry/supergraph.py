"""Metrics of which supergraph is served, and of its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry

__all__ = ["SupergraphMetrics"]


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


class SupergraphMetrics:
    """The supergraph of one worker; ``info`` is a collector of its own, never added up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reloads = Counter(
            "router_reloads",
            "Changes of the supergraph, counted by each worker",
            ("outcome",),
            registry=registry,
        )
        self._loaded_at = Gauge(
            "router_supergraph_loaded_timestamp_seconds",
            "When the supergraph was loaded; of several workers, where it is the oldest",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.info = _SupergraphInfo()
        registry.register(self.info)

    def serves(self, digest: str, loaded_at: float) -> None:
        """Tell which supergraph new requests run on, and since when (seconds since the epoch)."""
        self.info.digest = digest
        self._loaded_at.set(loaded_at)

    def reloaded(self, outcome: str) -> None:
        """Count a change of the supergraph that was applied or not."""
        self._reloads.labels(outcome).inc()
