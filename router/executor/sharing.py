"""Sharing of executions: equal queries in flight are run once.

Requests are equal when variant, variables and context are, of which only what names the request
(its id, its trace) and its deadline do not count. One joins another only as long as none of its
fetches has been answered: it would then share every single fetch too (``fetcher``), so its answer
is no older than without this, only cheaper: one collection, one projection, one JSON text.

A request whose trace is recorded runs by itself: its fetches may be shared, its spans not.

Who joins never waits longer than it may, as the other one's deadline comes first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import orjson

from router.planner.plan import OperationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.context import ExecutionResult, Json, RequestContext
    from router.executor.execution import Execution
    from router.executor.program import Program, Variant

__all__ = ["ExecutionKey", "SharedExecutions", "execution_key"]

ExecutionKey: TypeAlias = "tuple[Variant, bytes, RequestContext]"


def execution_key(
    program: Program, variant: Variant, variables: Mapping[str, Json], context: RequestContext
) -> ExecutionKey | None:
    """Return what equal executions have in common; None for one that must not be shared: a
    mutation, or one that takes more from its own fetches than their answers.
    """
    if program.plan.kind is not OperationKind.QUERY:
        return None
    sink = context.response_headers
    if context.collect_extensions or (sink is not None and sink.minds_queries):
        return None
    return variant, orjson.dumps(variables) if variables else b"", context


class _Running:
    """An execution under way and those who wait for it."""

    __slots__ = ("deadline", "execution", "waiters")

    def __init__(self, execution: Execution, deadline: float | None) -> None:
        self.execution = execution
        self.deadline = deadline
        self.waiters: list[asyncio.Future[ExecutionResult | None]] = []

    def takes(self, deadline: float | None) -> bool:
        """Tell whether a request may still join."""
        if self.execution.is_answered:
            return False
        return deadline is None or (self.deadline is not None and self.deadline <= deadline)

    async def join(self) -> ExecutionResult | None:
        """Return the result, None if there is none to share."""
        waiter: asyncio.Future[ExecutionResult | None]
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        return await waiter

    def end(self, result: ExecutionResult | None) -> None:
        """Tell all who wait."""
        for waiter in self.waiters:
            if not waiter.done():  # its client may have hung up
                waiter.set_result(result)


class SharedExecutions:
    """The executions under way, by what they have in common."""

    def __init__(self) -> None:
        self._running: dict[ExecutionKey, _Running] = {}

    async def join(self, key: ExecutionKey) -> ExecutionResult | None:
        """Return the result of an equal execution; None when there is none to join.

        When nothing comes of one, because its client hung up or its time was over, the first of
        those who have joined it leads the others.
        """
        context = key[2]
        while (running := self._running.get(key)) is not None and running.takes(context.deadline):
            result = await running.join()
            if result is not None:
                # errors may name the request
                return running.execution.result(context.request_id) if result.errors else result
        return None

    async def lead(self, key: ExecutionKey, execution: Execution) -> ExecutionResult:
        """Run an execution that others may join."""
        running = _Running(execution, key[2].deadline)
        self._running[key] = running
        shared: ExecutionResult | None = None
        try:
            await execution.run()
            result = execution.result()
            if running.waiters and not _is_over(running.deadline):
                shared = result = result.written()
            return result
        finally:
            if self._running.get(key) is running:  # else a later one has taken its place
                del self._running[key]
            running.end(shared)


def _is_over(deadline: float | None) -> bool:
    """Tell whether fetches may have failed for want of time that others still have."""
    return deadline is not None and asyncio.get_running_loop().time() >= deadline
