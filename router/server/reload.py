"""Reloading: a new supergraph becomes a generation, beside the traffic, and then takes over.

Loading and planning run in a thread. The hottest operations are planned and compiled before the
switch, so that the new generation does not begin with the work of all of them at once. A supergraph
that does not load changes nothing.
"""

from __future__ import annotations

import asyncio
import gc
from enum import StrEnum
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING

import structlog

from router.server.background import in_background
from router.server.errors import RouterConfigError
from router.supergraph import SupergraphError, load_supergraph, supergraph_digest
from router.supergraph.collection import paused_collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.server.generation import Generation, Generations
    from router.server.pipeline.prepare import OperationKey, OperationPreparer
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics
    from router.supergraph import Supergraph

__all__ = ["ReloadOutcome", "Reloader"]

_log = structlog.get_logger(__name__)


class ReloadOutcome(StrEnum):
    """What came of a reload."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"  # the same document
    REFUSED = "refused"


class Reloader:
    """Brings new supergraphs into service, one at a time.

    ``own_process``: the process is the router's, whose memory may be tuned for it; not so in a
    program that embeds one.
    """

    def __init__(
        self,
        generations: Generations,
        make_generation: Callable[[Supergraph], Generation],
        settings: RouterSettings,
        metrics: Metrics,
        *,
        own_process: bool,
    ) -> None:
        self._generations = generations
        self._make_generation = make_generation
        self._warm_operations = settings.reload_warm_operations
        self._warm_time = settings.reload_warm_time
        self._metrics = metrics
        self._own_process = own_process
        self._one_at_a_time = asyncio.Lock()
        self._closed = False

    async def reload(self, sdl: str) -> ReloadOutcome:
        """Go over to a supergraph, unless it is the one in use or cannot be loaded; what happened
        is logged and counted.
        """
        async with self._one_at_a_time:
            digest = supergraph_digest(sdl)
            if digest == self._generations.current.supergraph.digest:
                _log.info("supergraph unchanged", hash=digest)
                self._metrics.supergraph.reloaded(ReloadOutcome.UNCHANGED)
                return ReloadOutcome.UNCHANGED
            try:
                await self._replace(sdl)
            except SupergraphError as error:
                return self._refused(error.code, error.message)
            except RouterConfigError as error:
                return self._refused("INVALID_CONFIG", str(error))
            except Exception as error:  # noqa: BLE001 - a defect: the router goes on with what works
                _log.exception("reload failed")
                return self._refused("INTERNAL_SERVER_ERROR", str(error))
            self._metrics.supergraph.reloaded(ReloadOutcome.APPLIED)
            return ReloadOutcome.APPLIED

    def refuse(self) -> None:
        """Count a change that could not even be read."""
        self._metrics.supergraph.reloaded(ReloadOutcome.REFUSED)

    def close(self) -> None:
        """Do not switch any more; a reload under way ends early."""
        self._closed = True

    async def _replace(self, sdl: str) -> None:
        started = perf_counter()
        supergraph = await in_background(self._load, sdl)
        generation = self._make_generation(supergraph)
        hottest = self._generations.current.preparer.hottest(self._warm_operations)
        warmed = await in_background(self._warm, generation.preparer, hottest)
        if self._closed:
            await generation.close()
            return
        self._generations.swap(generation)
        _log.info(
            "supergraph reloaded",
            hash=supergraph.digest,
            subgraphs=len(supergraph.subgraphs),
            operations_warmed=warmed,
            seconds=round(perf_counter() - started, 3),
        )

    def _load(self, sdl: str) -> Supergraph:
        with paused_collection():
            supergraph = load_supergraph(sdl)
            if self._own_process:
                gc.freeze()  # before the collector gets to see it: see collect_for_good
        return supergraph

    def _warm(self, preparer: OperationPreparer, hottest: list[OperationKey]) -> int:
        """Prepare operations in a generation that is not in use yet; return how many.

        After each there is a pause as long as it took: a reload is in no hurry, and the traffic
        beside it is.
        """
        deadline = monotonic() + self._warm_time
        warmed = 0
        for key in hottest:
            started = monotonic()
            if started >= deadline or self._closed:
                break
            warmed += preparer.warm(key)
            sleep(monotonic() - started)
        return warmed

    def _refused(self, code: str, message: str) -> ReloadOutcome:
        _log.error("supergraph not reloaded", code=str(code), reason=message)
        self._metrics.supergraph.reloaded(ReloadOutcome.REFUSED)
        return ReloadOutcome.REFUSED
