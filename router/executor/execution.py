"""One execution of a program: the schedule of its fetches, and the result made of their answers.

A fetch starts as soon as all it waits for have ended, well or badly. After a failed one the
others still run: what they need from it is null, so they have fewer objects to ask for, or none
and no request is made.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import orjson

from router.executor.answers import Answers
from router.executor.codegen import IRREGULARITIES
from router.executor.context import ExecutionResult, Json, JsonObject, RequestContext
from router.executor.object_reader import ObjectReader
from router.executor.projection_interpreter import ProjectionInterpreter
from router.executor.response_errors import ErrorLog, ErrorMapper
from router.executor.responses import malformed
from router.executor.uploads import as_null, file_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.executor.codegen.collection import Collection
    from router.executor.fetcher import Fetcher
    from router.executor.outcome import FetchOutcome
    from router.executor.program import CompiledFetch, Variant

__all__ = ["Execution"]

_NOTHING_COLLECTED: tuple[Collection, ...] = ()


class Execution:
    """The state of one execution. For a subscription there is one for each event."""

    def __init__(
        self,
        fetcher: Fetcher,
        variant: Variant,
        variables: Mapping[str, Json],
        context: RequestContext,
        error_extensions: frozenset[str],
    ) -> None:
        self._fetcher = fetcher
        self._variant = variant
        self._variables = variables
        self._context = context
        self._error_extensions = error_extensions
        self.answers = Answers(len(variant.fetches), len(variant.refs))
        self.reader = ObjectReader(variant.root, self.answers)
        self._outcomes: list[FetchOutcome | None] = [None] * len(variant.fetches)
        self._waits_for = [fetch.waits_for for fetch in variant.fetches]
        self._is_clean = True
        self.is_answered = False  # any fetch, well or badly
        self._timings: list[JsonObject] = []
        self._began = perf_counter() if context.collect_extensions else 0.0

    # schedule

    async def run(self) -> None:
        """Make all fetches."""
        await self._run([index for index, count in enumerate(self._waits_for) if count == 0])

    async def run_after(self, source: FetchOutcome) -> None:
        """Make all fetches but the first, whose outcome is an event of a subscription."""
        self._accept(self._variant.fetches[0], source, _NOTHING_COLLECTED)
        await self._run(self._woken(self._variant.fetches[0]))

    async def _run(self, ready: list[int]) -> None:
        while len(ready) == 1:  # a chain needs no tasks
            ready = await self._step(ready[0])
        if not ready:
            return
        try:
            async with asyncio.TaskGroup() as group:
                for index in ready:
                    group.create_task(self._chain(index, group))
        except BaseExceptionGroup as failures:  # defects only: a failed fetch is no exception
            raise failures.exceptions[0] from None

    async def _chain(self, index: int, group: asyncio.TaskGroup) -> None:
        while True:
            ready = await self._step(index)
            if not ready:
                return
            index = ready[0]
            for other in ready[1:]:
                group.create_task(self._chain(other, group))

    def _woken(self, fetch: CompiledFetch) -> list[int]:
        """Return the fetches that have waited for this one only."""
        woken: list[int] = []
        for index in fetch.wakes:
            self._waits_for[index] -= 1
            if self._waits_for[index] == 0:
                woken.append(index)
        return woken

    async def _step(self, index: int) -> list[int]:
        """Make one fetch and return those that can be made now."""
        fetch = self._variant.fetches[index]
        collected = self._collect(fetch) if fetch.calls else _NOTHING_COLLECTED
        entities = sum(len(representations) for _, representations in collected)
        if entities or not fetch.calls:
            started = perf_counter()
            outcome = await self._ask(fetch, collected, entities)
            self._accept(fetch, outcome, collected)
            if self._context.response_headers is not None:
                carried = self._context.response_headers.add(outcome, is_query=fetch.is_query)
                if carried:
                    headers = (*self._context.headers, *carried)
                    self._context = replace(self._context, headers=headers)
            if self._context.collect_extensions:
                self._time(fetch, outcome, entities, started)
        return self._woken(fetch)

    def _collect(self, fetch: CompiledFetch) -> tuple[Collection, ...]:
        if fetch.collect is not None:
            try:
                return fetch.collect(self.answers, self.reader)
            except IRREGULARITIES:
                pass  # something in the answers is irregular: the reader minds every detail
        found = (self.reader.collect(ref) for ref in fetch.calls)
        return tuple((one.index, one.representations) for one in found)

    async def _ask(
        self, fetch: CompiledFetch, collected: tuple[Collection, ...], entities: int
    ) -> FetchOutcome:
        """Send the request and return what comes of it."""
        if fetch.contextual is None:
            made = {
                ref.call.variable: representations
                for ref, (_, representations) in zip(fetch.calls, collected, strict=True)
                if not ref.call.enters_root
            }
            return await self._send(fetch, fetch.head, made, entities)
        grouped = fetch.contextual.request(collected)
        outcome = await self._send(fetch, grouped.head, grouped.variables, entities)
        return grouped.joined(outcome)

    async def _send(
        self, fetch: CompiledFetch, head: bytes, made: JsonObject, entities: int
    ) -> FetchOutcome:
        """Send a request with the client's variables and those that were ``made``."""
        variables = {**self._variables_of(fetch), **made}
        files = file_parts(variables) if self._context.has_uploads else ()
        body = _body(head, variables)
        return await self._fetcher.fetch(fetch, body, self._context, files, entities)

    def _variables_of(self, fetch: CompiledFetch) -> JsonObject:
        given = self._variables
        variables = {name: given[name] for name in fetch.node.variables if name in given}
        for name in fetch.off:
            variables[name] = []  # the operation's text has the call all the same
        return variables

    def _accept(
        self, fetch: CompiledFetch, outcome: FetchOutcome, collected: tuple[Collection, ...]
    ) -> None:
        """Keep an answer where collection and projection find it."""
        self.is_answered = True
        data = outcome.data
        if data is not None:
            if fetch.calls:
                problem = self._add_tables(fetch, data, collected)
                if problem is not None and not outcome.errors:
                    outcome = malformed(problem, outcome.status)
            else:
                self.answers.data[fetch.index] = data
        for ref, (numbers, _) in zip(fetch.calls, collected, strict=True):
            self.answers.numbers[ref.index] = numbers
        self._outcomes[fetch.index] = outcome
        self._is_clean = self._is_clean and outcome.is_clean

    def _add_tables(
        self, fetch: CompiledFetch, data: JsonObject, collected: tuple[Collection, ...]
    ) -> str | None:
        """Make the entity tables of a fetch; return what is wrong with its lists, if anything."""
        problem: str | None = None
        for ref, (numbers, _) in zip(fetch.calls, collected, strict=True):
            if ref.call.enters_root:
                self.answers.tables[ref.index] = dict.fromkeys(numbers, data)
                continue
            rows = data.get(ref.call.response_key)
            if isinstance(rows, list) and len(rows) == len(numbers):
                self.answers.tables[ref.index] = dict(zip(numbers, rows, strict=True))
            else:
                problem = "The subgraph did not answer with one entity for each representation."
        return problem

    def _time(
        self,
        fetch: CompiledFetch,
        outcome: FetchOutcome,
        entities: int,
        started: float,
    ) -> None:
        self._timings.append(
            {
                "id": fetch.node.id,
                "subgraph": fetch.subgraph,
                "start": round((started - self._began) * 1000, 3),
                "ms": round((perf_counter() - started) * 1000, 3),
                "entities": entities,
                "status": outcome.status,
            }
        )

    # result

    def result(self, request_id: str | None = None) -> ExecutionResult:
        """Return the response, after all fetches have been made.

        ``request_id`` is that of another request which shares the answers.
        """
        if request_id is None:
            request_id = self._context.request_id
        result, withheld = self._projected(request_id), self._variant.withheld_errors
        if not withheld:
            return result
        if self._variant.reports_in_extensions:
            extensions = {**result.extensions, "authorizationErrors": withheld}
            return replace(result, extensions=extensions)
        return replace(result, errors=[*withheld, *result.errors])

    def _projected(self, request_id: str) -> ExecutionResult:
        variant = self._variant
        meta: JsonObject = {}
        log = ErrorLog()
        if variant.introspection is not None:
            meta, log.errors = variant.introspection.execute(self._variables)
        extensions = self._extensions() if self._context.collect_extensions else {}
        if self._is_clean and not log.errors and variant.projection is not None:
            try:
                data = variant.projection(self.answers, self.reader, meta)
                return ExecutionResult(data, [], extensions)
            except IRREGULARITIES:
                pass  # the interpreter finds out what is irregular and reports it
        self.map_errors(log, request_id)
        return ExecutionResult(self.interpreted(log, meta), log.errors, extensions)

    def interpreted(self, log: ErrorLog, meta: Mapping[str, Json]) -> JsonObject | None:
        """Return ``data`` as the interpreter sees it, adding to ``log`` what is wrong with it."""
        return self._interpreter(log, meta).project(self._variant.root)

    def _interpreter(self, log: ErrorLog, meta: Mapping[str, Json]) -> ProjectionInterpreter:
        return ProjectionInterpreter(
            self._variant.client,
            self._variant.types,
            self.reader,
            log,
            self._variant.slots,
            lineage=self._variant.lineage,
            subgraphs=self._variant.subgraphs,
            meta=meta,
        )

    def map_errors(
        self, log: ErrorLog, request_id: str = "", fetches: Iterable[int] | None = None
    ) -> None:
        """Add the errors of subgraphs and failed fetches to ``log``; of all ``fetches`` unless some
        are given by their numbers.
        """
        mapper = ErrorMapper(
            log,
            self.answers,
            self.reader,
            self._variant.keys,
            self._error_extensions,
            self._fetcher.masking,
            request_id,
        )
        numbers = range(len(self._outcomes)) if fetches is None else sorted(fetches)
        for index in numbers:
            outcome = self._outcomes[index]
            if outcome is not None and not outcome.is_clean:
                mapper.add(self._variant.fetches[index], outcome)

    def _extensions(self) -> JsonObject:
        subgraphs: dict[str, list[Json]] = {}
        for fetch, outcome in zip(self._variant.fetches, self._outcomes, strict=True):
            if outcome is not None and outcome.extensions:
                subgraphs.setdefault(fetch.subgraph, []).append(outcome.extensions)
        return {"subgraphs": subgraphs, "fetches": self._timings}


def _body(head: bytes, variables: JsonObject) -> bytes:
    if not variables:
        return head + b"}"
    return head + b',"variables":' + orjson.dumps(variables, default=as_null) + b"}"
