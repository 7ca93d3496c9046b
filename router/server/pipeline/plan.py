"""Stage 5, plan: a validated operation into a plan, and the plan into the executor's program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.executor import compile_program
from router.planner import PlanningError
from router.server.errors import RequestError

if TYPE_CHECKING:
    from graphql import DocumentNode, OperationDefinitionNode

    from router.executor import Program
    from router.executor.withheld import Withheld
    from router.planner import Planner
    from router.planner.plan import QueryPlan
    from router.supergraph.model import Supergraph

__all__ = ["compile_plan", "plan_operation"]


def plan_operation(
    planner: Planner,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    labels: frozenset[str] = frozenset(),
    *,
    defer: bool = False,
) -> QueryPlan:
    """Plan an operation; what cannot be planned is refused with the planner's code.

    A composed supergraph has a plan for every valid operation, so this is a fault of ours, not of
    the client. ``labels``: the override labels that are on; ``defer``: the answer comes in parts.
    """
    try:
        return planner.plan(document, operation, labels, defer=defer)
    except PlanningError as error:
        raise RequestError(error.code, str(error), status=500) from error


def compile_plan(
    supergraph: Supergraph,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    plan: QueryPlan,
    withheld: Withheld | None = None,
) -> Program:
    """Compile a plan into what the executor runs; ``withheld`` is what the plan leaves out."""
    return compile_program(supergraph, document, operation, plan, withheld)
