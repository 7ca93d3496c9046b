"""Operations as a client sends them: through the server's own stages, refusals included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from router.executor import Executor, RequestContext
from router.executor.transport import AsgiTransport
from router.planner import Planner
from router.planner.plan_text import plan_text
from router.server.access.gate import AccessGate
from router.server.access.identity import Identity
from router.server.errors import RequestError
from router.server.pipeline.prepare import OperationPreparer, PreparedOperation
from router.server.settings import Environment, RouterSettings
from router.server.telemetry import Metrics
from router.supergraph import Supergraph
from tests.federation.harness.run import Run
from tests.federation.harness.subgraph import DataSubgraph, RecordedRequest

__all__ = ["answer", "explain"]

_SETTINGS = RouterSettings(
    environment=Environment.TEST,
    suggestions=False,
    max_validation_errors=5,
    max_aliases=1_000,  # random queries name every field
    max_height=5_000,
)


def explain(supergraph: Supergraph, query: str, labels: frozenset[str] = frozenset()) -> str:
    """The plan of an operation as text, or the code and message of its refusal."""
    try:
        prepared = _prepare(supergraph, query, labels)
    except RequestError as error:
        return f"{error.code}: {error}"
    return plan_text(prepared.plan if prepared.deferring is None else prepared.deferring.plan)


async def answer(
    supergraph: Supergraph,
    subgraphs: Sequence[DataSubgraph],
    query: str,
    variables: Mapping[str, Any],
    caller: Identity | None = None,
    *,
    in_parts: bool = False,
) -> Run:
    """Answer a request, however it ends; ``in_parts``: for a client that takes parts."""
    log: list[RecordedRequest] = []
    for subgraph in subgraphs:
        subgraph.log = log
    transports = {subgraph.name: AsgiTransport(subgraph) for subgraph in subgraphs}
    executor = Executor(supergraph, transports)
    gate = AccessGate(_SETTINGS, Metrics(max_operation_labels=1))
    try:
        prepared = _prepare(supergraph, query)
        values = prepared.variables.read(dict(variables))
        prepared = await gate.admit(prepared, values, caller, "")
        deferring = prepared.in_parts(values) if in_parts else None
        if deferring is not None:
            return await _parts(executor, deferring, values, log)
        result = await executor.execute(prepared.program, values, RequestContext())
    except RequestError as error:
        return Run(None, error.errors, {}, "", log)
    finally:
        await executor.aclose()
    return Run(result.data, result.errors, result.extensions, plan_text(prepared.plan), log)


async def _parts(
    executor: Executor,
    prepared: PreparedOperation,
    values: dict[str, Any],
    log: list[RecordedRequest],
) -> Run:
    results = executor.deliver(prepared.program, values, RequestContext())
    async with aclosing(results):
        first, *later = [result async for result in results]
    assert [result.has_next for result in (first, *later)] == [True] * len(later) + [False]
    assert first.first is not None
    parts = [part.to_dict() for result in later for part in result.parts]
    plan = plan_text(prepared.plan)
    return Run(first.first.data, first.first.errors, first.first.extensions, plan, log, parts)


def _prepare(
    supergraph: Supergraph, query: str, labels: frozenset[str] = frozenset()
) -> PreparedOperation:
    metrics = Metrics(max_operation_labels=1)
    preparer = OperationPreparer(supergraph, Planner(supergraph), _SETTINGS, metrics)
    return preparer._prepare_for(query, None, labels)
