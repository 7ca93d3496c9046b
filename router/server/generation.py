"""Generations: everything that hangs on one supergraph, swapped as one.

A request takes the current generation once and stays on it, so a new supergraph never mixes plans
of the old one with schemas of the new. A replaced generation ends its subscriptions, spread over a
while, and closes its connections when its last request or subscription has ended.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from router.executor import Executor
from router.executor.transport.network import network_transport
from router.planner import Planner
from router.server.access.gate import AccessGate
from router.server.errors import RouterConfigError
from router.server.metered import MeteredTransport
from router.server.pipeline.prepare import OperationPreparer
from router.server.router_secret import with_router_secret
from router.server.subgraph_traffic import executor_settings, transport_settings
from router.server.subscriptions.hub import SubscriptionHub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.executor.transport.base import SubgraphTransport
    from router.server.access.policies import PolicyEvaluator
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics
    from router.supergraph import Subgraph, Supergraph

__all__ = ["Generation", "Generations"]

_log = structlog.get_logger(__name__)

_MAX_DRAINING = 3
_TELL_SECONDS = 0.5


class Generation:
    """One supergraph with its planner, executor, caches and connections to subgraphs.

    ``transports`` and ``policies`` given by the caller stay the caller's: they are used, but not
    closed here.
    """

    def __init__(
        self,
        supergraph: Supergraph,
        settings: RouterSettings,
        metrics: Metrics,
        transports: Mapping[str, SubgraphTransport] | None = None,
        policies: PolicyEvaluator | None = None,
    ) -> None:
        self.supergraph = supergraph
        self.metrics = metrics
        self.loaded_at = time.time()
        given = transports or {}
        self._opened = {
            name: _open(subgraph, settings)
            for name, subgraph in supergraph.subgraphs.items()
            if name not in given
        }
        self.transports: dict[str, SubgraphTransport] = {
            name: with_router_secret(given.get(name) or self._opened[name], name, settings)
            for name in supergraph.subgraphs
        }
        metered = {
            name: MeteredTransport(transport, name, metrics)
            for name, transport in self.transports.items()
        }
        self.executor = Executor(
            supergraph,
            metered,
            executor_settings(settings, metered),
            metrics.subgraphs,
            metrics.tracer,
        )
        self.gate = AccessGate(settings, metrics, policies)
        planner = Planner(supergraph, settings.planning_limit)
        self.preparer = OperationPreparer(supergraph, planner, settings, metrics)
        self.subscriptions = SubscriptionHub(settings)
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    def __enter__(self) -> Generation:
        """Keep the generation's connections open for the time of a request or subscription; may be
        nested.
        """
        self._users += 1
        self._unused.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            self._unused.set()

    async def retire(self, drain_seconds: float) -> None:
        """End the subscriptions within some seconds, wait for the last user, then close what this
        generation opened.
        """
        await self.subscriptions.draining.run(drain_seconds)
        while self._users:  # one that came last may have been joined by its subscription
            await self._unused.wait()
        await self.close()

    async def close(self) -> None:
        """End the subscriptions and close the connections, at once."""
        await self.subscriptions.aclose()
        for transport in self._opened.values():
            await transport.aclose()
        await self.gate.aclose()


class Generations:
    """The current generation, and those before it that still have users.

    ``drain_seconds``: how long a replaced one may take to end its subscriptions. ``on_closed`` is
    called shortly after one, or several, have gone.
    """

    def __init__(
        self,
        first: Generation,
        *,
        drain_seconds: float = 0.0,
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._current = first
        self._drain_seconds = drain_seconds
        self._on_closed = on_closed
        self._told: asyncio.TimerHandle | None = None
        self._retiring: dict[asyncio.Task[None], Generation] = {}
        first.metrics.supergraph.serves(first.supergraph.digest, first.loaded_at)

    @property
    def current(self) -> Generation:
        """The generation that new requests use."""
        return self._current

    def swap(self, generation: Generation) -> None:
        """Let new requests use another generation; the old one goes when its last user goes."""
        replaced, self._current = self._current, generation
        generation.metrics.supergraph.serves(generation.supergraph.digest, generation.loaded_at)
        task = asyncio.get_running_loop().create_task(replaced.retire(self._drain_seconds))
        self._retiring[task] = replaced
        task.add_done_callback(self._forget)
        for draining in tuple(self._retiring.values())[:-_MAX_DRAINING]:
            draining.subscriptions.draining.hurry()

    def _forget(self, done: asyncio.Task[None]) -> None:
        self._retiring.pop(done, None)
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            _log.error("generation not closed", exc_info=error)
        if self._told is None:
            # A moment later: what used it last has then returned, and what else goes with it is
            # told of at the same time.
            loop = asyncio.get_running_loop()
            self._told = loop.call_later(_TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        self._told = None
        self._on_closed()

    async def close(self) -> None:
        """Close every generation, whether it is used or not."""
        if self._told is not None:
            self._told.cancel()
        retiring = dict(self._retiring)
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        for generation in (*retiring.values(), self._current):
            await generation.close()


def _open(subgraph: Subgraph, settings: RouterSettings) -> SubgraphTransport:
    url = settings.subgraph_urls.get(subgraph.name, subgraph.url)
    try:
        return network_transport(url, transport_settings(settings, subgraph.name))
    except ValueError as error:
        raise RouterConfigError(
            f"subgraph '{subgraph.name}' cannot be reached at '{url}': {error}"
        ) from None
