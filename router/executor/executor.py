"""The executor: runs programs.

In use::

    executor = Executor(supergraph, transports, ExecutorSettings())
    result = await executor.execute(program, variables, context)

One executor serves all requests of one supergraph. It never raises for what clients or subgraphs
do: whatever goes wrong is in the result's errors. What it does raise is a defect, for the server
to log and mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.executor.execution import Execution
from router.executor.fetch_tracing import TracedFetcher
from router.executor.fetcher import Fetcher
from router.executor.incremental import IncrementalExecution
from router.executor.settings import ExecutorSettings
from router.executor.sharing import SharedExecutions, execution_key
from router.executor.subscription import subscription_results

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from opentelemetry.trace import Tracer

    from router.executor.context import ExecutionResult, Json, RequestContext
    from router.executor.incremental import PartialResult
    from router.executor.program import Program
    from router.executor.traffic.client import TrafficObserver
    from router.executor.transport.base import SubgraphTransport
    from router.executor.type_model import ExecutableSupergraph

__all__ = ["Executor"]


class Executor:
    """Runs the programs of one supergraph; ``transports`` are by subgraph name.

    ``observer`` hears of retries and circuit breakers, ``tracer`` makes a span of each fetch.
    """

    def __init__(
        self,
        supergraph: ExecutableSupergraph,
        transports: Mapping[str, SubgraphTransport],
        settings: ExecutorSettings | None = None,
        observer: TrafficObserver | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.supergraph = supergraph
        self._transports = transports
        self._settings = settings or ExecutorSettings()
        self._fetcher = (
            Fetcher(transports, self._settings, observer)
            if tracer is None
            else TracedFetcher(transports, self._settings, observer, tracer)
        )
        self._shared = SharedExecutions()

    async def execute(
        self, program: Program, variables: Mapping[str, Json], context: RequestContext
    ) -> ExecutionResult:
        """Run a query or mutation.

        ``variables`` are the client's, already validated. Cancelling ends all requests that are
        under way.
        """
        variant = program.variant(variables)
        key = None
        if self._settings.deduplicate and not self._fetcher.is_recorded:
            key = execution_key(program, variant, variables, context)
            if key is not None and (shared := await self._shared.join(key)) is not None:
                return shared
        extensions = self._settings.error_extensions
        execution = Execution(self._fetcher, variant, variables, context, extensions)
        if key is not None:
            return await self._shared.lead(key, execution)
        await execution.run()
        return execution.result()

    def deliver(
        self, program: Program, variables: Mapping[str, Json], context: RequestContext
    ) -> AsyncGenerator[PartialResult, None]:
        """Run a query or mutation whose answer comes in parts: the program defers for these
        variables.

        Close the generator (``contextlib.aclosing``) to end all requests that are under way.
        """
        execution = IncrementalExecution(
            self._fetcher,
            program.variant(variables),
            variables,
            context,
            self._settings.error_extensions,
        )
        return execution.results()

    def subscribe(
        self, program: Program, variables: Mapping[str, Json], context: RequestContext
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Run a subscription: yield one result for each event, in order.

        If the source cannot be opened or breaks, the last result has no data and says why; its
        ``is_end`` is set. Close the generator (``contextlib.aclosing``) to end the subscription
        upstream.
        """
        return subscription_results(self._fetcher, program, variables, context, self._settings)

    def live_field(self, program: Program, variables: Mapping[str, Json]) -> str | None:
        """Return the name of a subscription's field if its events begin with now.

        None if the client asks for a replay from a cursor: only it can do with those events.
        """
        resumption = program.variant(variables).resumption(self._settings.cursors)
        if resumption is not None and resumption.replays(variables):
            return None
        return program.subscription_field

    async def aclose(self) -> None:
        """Close the transports."""
        for transport in self._transports.values():
            await transport.aclose()
