"""Generations: everything that hangs on one supergraph, swapped as one.

A request takes the current generation once and stays on it, so a new supergraph never mixes plans
of the old one with schemas of the new. A replaced generation closes its connections when its last
request or subscription has ended.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from router.executor import Executor
from router.executor.transport.network import network_transport
from router.planner import Planner
from router.server.errors import RouterConfigError
from router.server.metered import MeteredTransport
from router.server.pipeline.prepare import OperationPreparer
from router.server.subgraph_traffic import executor_settings, transport_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.transport.base import SubgraphTransport
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics
    from router.supergraph import Subgraph, Supergraph

__all__ = ["Generation", "Generations"]


class Generation:
    """One supergraph with its planner, executor, caches and connections to subgraphs.

    ``transports`` given by the caller stay the caller's: they are used, but not closed here.
    """

    def __init__(
        self,
        supergraph: Supergraph,
        settings: RouterSettings,
        metrics: Metrics,
        transports: Mapping[str, SubgraphTransport] | None = None,
    ) -> None:
        self.supergraph = supergraph
        self.metrics = metrics
        given = transports or {}
        self._opened = {
            name: _open(subgraph, settings)
            for name, subgraph in supergraph.subgraphs.items()
            if name not in given
        }
        self.transports: dict[str, SubgraphTransport] = {
            name: given.get(name) or self._opened[name] for name in supergraph.subgraphs
        }
        metered = {
            name: MeteredTransport(transport, name, metrics)
            for name, transport in self.transports.items()
        }
        self.executor = Executor(
            supergraph,
            metered,
            executor_settings(settings, metered),
            metrics.traffic,
        )
        self.preparer = OperationPreparer(supergraph, Planner(supergraph), settings, metrics)
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

    async def retire(self) -> None:
        """Wait for the last user, then close what this generation opened."""
        await self._unused.wait()
        await self.close()

    async def close(self) -> None:
        """Close the connections at once."""
        for transport in self._opened.values():
            await transport.aclose()


class Generations:
    """The current generation, and those before it that still have users."""

    def __init__(self, first: Generation) -> None:
        self._current = first
        self._retiring: dict[asyncio.Task[None], Generation] = {}

    @property
    def current(self) -> Generation:
        """The generation that new requests use."""
        return self._current

    def swap(self, generation: Generation) -> None:
        """Let new requests use another generation; the old one goes when its last user goes."""
        replaced, self._current = self._current, generation
        task = asyncio.get_running_loop().create_task(replaced.retire())
        self._retiring[task] = replaced
        task.add_done_callback(lambda done: self._retiring.pop(done, None))

    async def close(self) -> None:
        """Close every generation, whether it is used or not."""
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
