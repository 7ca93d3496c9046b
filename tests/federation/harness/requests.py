"""Operations as a client sends them: through the server's own stages, refusals included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from router.executor import Executor, RequestContext
from router.executor.transport import AsgiTransport
from router.planner import Planner
from router.planner.plan import QueryPlan
from router.planner.plan_text import plan_text
from router.server.errors import RequestError
from router.server.limits.inputs import InputLimits
from router.server.pipeline.parse import parse_document, select_operation
from router.server.pipeline.plan import compile_plan, plan_operation
from router.server.pipeline.validate import validate_document
from router.server.pipeline.variables import VariableReader
from router.supergraph import Supergraph
from tests.federation.harness.run import Run
from tests.federation.harness.subgraph import DataSubgraph, RecordedRequest

__all__ = ["answer", "explain"]


def explain(supergraph: Supergraph, query: str, labels: frozenset[str] = frozenset()) -> str:
    """The plan of an operation as text, or the code and message of its refusal."""
    try:
        plan, *_ = _prepare(supergraph, query, labels)
    except RequestError as error:
        return f"{error.code}: {error}"
    return plan_text(plan)


_INPUTS = InputLimits(depth=50, values=10_000)


async def answer(
    supergraph: Supergraph,
    subgraphs: Sequence[DataSubgraph],
    query: str,
    variables: Mapping[str, Any],
) -> Run:
    """Answer a request, however it ends."""
    log: list[RecordedRequest] = []
    for subgraph in subgraphs:
        subgraph.log = log
    transports = {subgraph.name: AsgiTransport(subgraph) for subgraph in subgraphs}
    executor = Executor(supergraph, transports)
    try:
        plan, document, operation = _prepare(supergraph, query)
        reader = VariableReader(supergraph.api_schema, operation, limits=_INPUTS, suggestions=False)
        values = reader.read(dict(variables))
        program = compile_plan(supergraph, document, operation, plan)
        result = await executor.execute(program, values, RequestContext())
    except RequestError as error:
        return Run(None, error.errors, {}, "", log)
    finally:
        await executor.aclose()
    return Run(result.data, result.errors, result.extensions, plan_text(plan), log)


def _prepare(
    supergraph: Supergraph, query: str, labels: frozenset[str] = frozenset()
) -> tuple[QueryPlan, Any, Any]:
    document = parse_document(query, max_tokens=10_000)
    operation = select_operation(document, None)
    validate_document(
        supergraph.api_schema,
        document,
        max_errors=5,
        max_work=50_000,
        introspection=True,
        suggestions=False,
    )
    plan = plan_operation(Planner(supergraph), document, operation, labels)
    return plan, document, operation
