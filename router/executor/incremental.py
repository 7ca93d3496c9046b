"""Incremental delivery (``@defer``): the first answer, then what was deferred, as it comes.

All fetches run as in any execution, each as soon as its inputs are there. The first answer is made
when the fetches that it wants are done; whatever else is still under way is not waited for. A
deferred fragment of an object is answered when the fetches of its block are done. It is read like
the rest of the response, from the object's path down, and stands for itself: a null propagates up
to its object at most, and the errors below the object come with it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from router.executor.context import ExecutionResult, Json, JsonObject
from router.executor.execution import Execution
from router.executor.places import Places
from router.executor.response_errors import ErrorLog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from router.executor.context import ErrorDict, RequestContext
    from router.executor.fetcher import Fetcher
    from router.executor.object_reader import ResponsePath
    from router.executor.program import Variant
    from router.executor.projection_interpreter import DeferredObject, ProjectionInterpreter
    from router.planner.plan import Block

__all__ = ["DeferredPart", "IncrementalExecution", "PartialResult"]


@dataclass(frozen=True, slots=True)
class DeferredPart:
    """The data of one deferred fragment for the object at ``path`` (None: a null propagated up to
    the object).
    """

    data: JsonObject | None
    path: ResponsePath
    label: str | None
    errors: list[ErrorDict]

    def to_dict(self) -> JsonObject:
        """Return the part as JSON has it, empty members left out."""
        part: JsonObject = {"data": self.data, "path": list(self.path)}
        if self.label is not None:
            part["label"] = self.label
        if self.errors:
            part["errors"] = self.errors
        return part


@dataclass(frozen=True, slots=True)
class PartialResult:
    """One payload: the ``first`` answer, or deferred parts."""

    has_next: bool
    first: ExecutionResult | None = None
    parts: Sequence[DeferredPart] = ()
    extensions: JsonObject = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Whether there is an error in it."""
        if self.first is not None and self.first.errors:
            return True
        return any(part.errors for part in self.parts)

    def to_dict(self) -> JsonObject:
        """Return the payload in the form of the incremental delivery proposal of 2022-08-24."""
        payload: JsonObject = self.first.to_dict() if self.first is not None else {}
        if self.parts:
            payload["incremental"] = [part.to_dict() for part in self.parts]
        if self.extensions:
            payload["extensions"] = self.extensions
        payload["hasNext"] = self.has_next
        return payload


class IncrementalExecution(Execution):
    """One execution whose answer comes in parts."""

    def __init__(
        self,
        fetcher: Fetcher,
        variant: Variant,
        variables: Mapping[str, Json],
        context: RequestContext,
        error_extensions: frozenset[str],
    ) -> None:
        super().__init__(fetcher, variant, variables, context, error_extensions)
        self._done: set[int] = set()
        self._told: set[int] = set()  # the fetches whose errors are in the log
        self._progress = asyncio.Event()
        self._log = ErrorLog()
        self._meta: JsonObject = {}
        self._waiting: dict[Block, list[DeferredObject]] = {}

    async def results(self) -> AsyncGenerator[PartialResult, None]:
        """Yield the first answer, then parts as they get ready. Closing ends what is under way."""
        fetching = asyncio.get_running_loop().create_task(self.run())
        fetching.add_done_callback(lambda _: self._progress.set())
        try:
            first: Block = frozenset()
            while not self._is_done(first):
                await self._go_on(fetching)
            yield self._first()
            while self._waiting:
                done = {block for block in self._waiting if self._is_done(block)}
                if done:
                    yield self._next(done)
                else:
                    await self._go_on(fetching)
        finally:
            fetching.cancel()
            with suppress(asyncio.CancelledError):
                await fetching

    @override
    async def _step(self, index: int) -> list[int]:
        ready = await super()._step(index)
        self._done.add(index)
        self._progress.set()
        return ready

    async def _go_on(self, fetching: asyncio.Task[None]) -> None:
        """Wait for the next fetch to end."""
        if fetching.done():
            fetching.result()  # raises the defect that ended it
        self._progress.clear()
        await self._progress.wait()

    def _is_done(self, block: Block) -> bool:
        return self._variant.blocks.needed_for(block) <= self._done

    # results

    def _first(self) -> PartialResult:
        if self._variant.introspection is not None:
            self._meta, self._log.errors = self._variant.introspection.execute(self._variables)
        errors = [*self._take_errors(), *self._fetch_errors(frozenset())]
        interpreter = self._interpreter(self._log, self._meta)
        data = interpreter.project(self._variant.root)
        self._keep(interpreter, (), data)
        extensions = self._extensions() if self._context.collect_extensions else {}
        result = ExecutionResult(data, [*errors, *self._take_errors()], extensions)
        return PartialResult(bool(self._waiting), first=result)

    def _next(self, done: set[Block]) -> PartialResult:
        """Answer all that was deferred in blocks that are done."""
        ready = {block: self._waiting.pop(block) for block in done}
        reported = {block: self._fetch_errors(block) for block in ready}
        places = Places(self.reader, self._variant.root)
        interpreter = self._interpreter(self._log, self._meta)
        parts: list[DeferredPart] = []
        for block, objects in ready.items():
            answered = [self._part(one, places, interpreter) for one in objects]
            _share_out(reported[block], answered)
            parts += answered
        extensions: JsonObject = {}
        if self._context.collect_extensions and not self._waiting:
            extensions = self._extensions()
        return PartialResult(bool(self._waiting), parts=parts, extensions=extensions)

    def _part(
        self, one: DeferredObject, places: Places, interpreter: ProjectionInterpreter
    ) -> DeferredPart:
        """Answer one fragment of one object."""
        found, position = places.object_at(one.path)
        data = interpreter.project_deferred(found, position, one)
        self._keep(interpreter, one.path, data)
        return DeferredPart(data, one.path, one.fragment.deferral.label, self._take_errors())

    def _keep(
        self, interpreter: ProjectionInterpreter, at: ResponsePath, data: JsonObject | None
    ) -> None:
        """Wait for what was deferred on objects that are left in ``data``, the value at ``at``."""
        for one in interpreter.take_deferred():
            if _has_object(data, one.path[len(at) :]):
                self._waiting.setdefault(one.block, []).append(one)

    def _fetch_errors(self, block: Block) -> list[ErrorDict]:
        """Return what went wrong in the fetches that a block has waited for, unless it was told."""
        fetches = self._variant.blocks.needed_for(block)
        self.map_errors(self._log, self._context.request_id, fetches - self._told)
        self._told |= fetches
        return self._take_errors()

    def _take_errors(self) -> list[ErrorDict]:
        """Return the errors since the last time; the log goes on knowing what they explain."""
        errors, self._log.errors = self._log.errors, []
        return errors


def _share_out(errors: Sequence[ErrorDict], parts: Sequence[DeferredPart]) -> None:
    """Give each error of a fetch to the part it is about: that of the nearest object above it. What
    is about none of them goes with the first one, so that it is told.
    """
    by_path: dict[ResponsePath, DeferredPart] = {}
    for part in parts:
        by_path.setdefault(part.path, part)
    for error in errors:
        path = tuple(error.get("path", ()))
        above = (by_path.get(path[:length]) for length in range(len(path), -1, -1))
        nearest = next((part for part in above if part is not None), parts[0])
        nearest.errors.append(error)


def _has_object(data: Json, path: ResponsePath) -> bool:
    """Tell whether there is an object at a path: a null may have propagated over it."""
    for step in path:
        if data is None:
            return False
        data = data[step]
    return data is not None
