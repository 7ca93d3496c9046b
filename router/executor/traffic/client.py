"""Sends requests to one subgraph: within the time limit, again where that helps, or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from router.executor.errors import ExecutionErrorCode
from router.executor.outcome import FetchFailure, FetchOutcome
from router.executor.responses import read_response
from router.executor.traffic.circuit_breaker import CircuitBreaker, CircuitState
from router.executor.traffic.retries import (
    RETRYABLE_STATUSES,
    RetryBudget,
    retry_after,
    retry_delay,
)
from router.executor.transport.base import ConnectionLostError, NotReachedError, TransportError

if TYPE_CHECKING:
    from router.executor.traffic.policy import SubgraphPolicy
    from router.executor.transport.base import SubgraphRequest, SubgraphTransport

__all__ = ["SubgraphClient", "TrafficObserver", "Unobserved"]

_FAIR_SHARE: Final = 0.5  # of its time limit: a subgraph that had less has not failed


class TrafficObserver(Protocol):
    """Hears of what is decided about a subgraph's requests."""

    def retried(self, subgraph: str) -> None:
        """A query is sent again."""
        ...

    def refused(self, subgraph: str) -> None:
        """A request was not sent because the circuit is open."""
        ...

    def circuit_changed(self, subgraph: str, state: CircuitState) -> None:
        """The circuit has another state; the first call says that it is closed."""
        ...


class Unobserved:
    """Nobody listens."""

    def retried(self, subgraph: str) -> None:
        """Do nothing."""

    def refused(self, subgraph: str) -> None:
        """Do nothing."""

    def circuit_changed(self, subgraph: str, state: CircuitState) -> None:
        """Do nothing."""


class SubgraphClient:
    """One subgraph's transport with its policy. ``deadline_header`` tells a subgraph how many
    milliseconds its answer is waited for; empty for none.
    """

    def __init__(
        self,
        subgraph: str,
        transport: SubgraphTransport,
        policy: SubgraphPolicy,
        *,
        deadline_header: str,
        observer: TrafficObserver,
    ) -> None:
        self.transport = transport
        self._subgraph = subgraph
        self._policy = policy
        self._deadline_header = deadline_header
        self._observer = observer
        self._budget = RetryBudget(policy.retry.budget)
        self._breaker: CircuitBreaker | None = None
        if policy.breaker is not None:
            self._breaker = CircuitBreaker(policy.breaker, self._circuit_changed)
            self._circuit_changed(CircuitState.CLOSED)

    def until(self, deadline: float | None) -> float:
        """Return the loop time at which a request that is sent now has failed."""
        limit = asyncio.get_running_loop().time() + self._policy.timeout
        return limit if deadline is None else min(limit, deadline)

    async def send(self, request: SubgraphRequest, until: float) -> FetchOutcome:
        """Return what came of a request; only cancellation and defects are raised."""
        era = self._let_through()
        if era is None:
            self._observer.refused(self._subgraph)
            return _failed(
                ExecutionErrorCode.SUBGRAPH_CIRCUIT_OPEN,
                "The subgraph has failed too often and is not asked for a moment.",
            )
        self._budget.add_request()
        outcome, wait = await self._attempt(request, until, era)
        attempt = 1
        while wait is not None and request.repeatable and attempt <= self._policy.retry.attempts:
            if not await self._wait(max(wait, retry_delay(self._policy.retry, attempt)), until):
                break
            era = self._let_through()
            if era is None:
                break
            self._observer.retried(self._subgraph)
            outcome, wait = await self._attempt(request, until, era)
            attempt += 1
        return outcome

    async def _wait(self, seconds: float, until: float) -> bool:
        """Wait before a retry; False if it is not worth it, or the budget has none left."""
        if asyncio.get_running_loop().time() + seconds >= until or not self._budget.take():
            return False
        await asyncio.sleep(seconds)
        return True

    async def _attempt(
        self, request: SubgraphRequest, until: float, era: int
    ) -> tuple[FetchOutcome, float | None]:
        """Return the outcome, and the least seconds before another attempt if one may help."""
        started = asyncio.get_running_loop().time()
        if self._deadline_header:
            left = max(1, int((until - started) * 1000))
            request = request.with_header(self._deadline_header, str(left))
        try:
            async with asyncio.timeout_at(until):
                response = await self.transport.execute(request)
        except TimeoutError:
            self._record(era, failed=until - started >= _FAIR_SHARE * self._policy.timeout)
            return timed_out(), None
        except TransportError as error:
            self._record(era, failed=isinstance(error, NotReachedError | ConnectionLostError))
            wait = 0.0 if isinstance(error, NotReachedError) else None
            return _failed(error.code, str(error)), wait
        except BaseException:
            if self._breaker is not None:
                self._breaker.forget(era)
            raise
        is_gone = response.status in RETRYABLE_STATUSES
        self._record(era, failed=is_gone)
        return read_response(response), retry_after(response.headers) if is_gone else None

    def _let_through(self) -> int | None:
        return 0 if self._breaker is None else self._breaker.let_through()

    def _record(self, era: int, *, failed: bool) -> None:
        if self._breaker is not None:
            self._breaker.record(era, failed=failed)

    def _circuit_changed(self, state: CircuitState) -> None:
        self._observer.circuit_changed(self._subgraph, state)


def timed_out() -> FetchOutcome:
    """Return the outcome of a fetch whose time is up."""
    return _failed(ExecutionErrorCode.SUBGRAPH_TIMEOUT, "The subgraph did not answer in time.")


def _failed(code: ExecutionErrorCode, message: str) -> FetchOutcome:
    return FetchOutcome(failure=FetchFailure(code, message))
