"""What the first sight of an operation costs: everything that is remembered afterwards."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from benchmarks.executor.shop import HEAVY
from router.planner import Planner
from router.server.background import collect_for_good, collect_seldom
from router.server.pipeline.prepare import OperationPreparer
from router.server.settings import RouterSettings
from router.server.telemetry import Metrics
from router.supergraph import load_supergraph

if TYPE_CHECKING:
    from router.server.pipeline.prepare import PreparedOperation

__all__ = ["cold_milliseconds"]

_ROUNDS = 15


def cold_milliseconds(sdl: str) -> tuple[float, float]:
    """Return CPU time of the first preparation of the heavy query in a process, and the median of
    further ones whose texts are new.
    """
    settings = RouterSettings()
    supergraph = load_supergraph(sdl)
    metrics = Metrics(max_operation_labels=settings.max_operation_labels)
    preparer = OperationPreparer(supergraph, Planner(supergraph), settings, metrics)
    collect_for_good()
    collect_seldom(settings.gc_threshold)
    times = [_timed(preparer, f"{HEAVY}# {number}") for number in range(_ROUNDS)]
    return times[0], median(times[1:])


def _timed(preparer: OperationPreparer, text: str) -> float:
    start = process_time()
    prepared: PreparedOperation = preparer.prepare(text, None)
    spent = (process_time() - start) * 1000
    assert prepared.plan.fetches
    return spent
