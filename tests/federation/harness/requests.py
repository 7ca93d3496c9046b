"""Operations as a client sends them: through the server's own stages, refusals included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_SETTINGS = RouterSettings(environment=Environment.TEST, suggestions=False, max_validation_errors=5)


def explain(supergraph: Supergraph, query: str, labels: frozenset[str] = frozenset()) -> str:
    """The plan of an operation as text, or the code and message of its refusal."""
    try:
        prepared = _prepare(supergraph, query, labels)
    except RequestError as error:
        return f"{error.code}: {error}"
    return plan_text(prepared.plan)


async def answer(
    supergraph: Supergraph,
    subgraphs: Sequence[DataSubgraph],
    query: str,
    variables: Mapping[str, Any],
    caller: Identity | None = None,
) -> Run:
    """Answer a request, however it ends."""
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
        result = await executor.execute(prepared.program, values, RequestContext())
    except RequestError as error:
        return Run(None, error.errors, {}, "", log)
    finally:
        await executor.aclose()
    return Run(result.data, result.errors, result.extensions, plan_text(prepared.plan), log)


def _prepare(
    supergraph: Supergraph, query: str, labels: frozenset[str] = frozenset()
) -> PreparedOperation:
    metrics = Metrics(max_operation_labels=1)
    preparer = OperationPreparer(supergraph, Planner(supergraph), _SETTINGS, metrics)
    return preparer._prepare_for(query, None, labels)
