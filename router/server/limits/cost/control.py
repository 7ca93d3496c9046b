"""Measures what operations cost, and refuses those that cost too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.cost.estimate import compile_cost
from router.server.limits.cost.model import CostModel
from router.server.settings import CostMode

if TYPE_CHECKING:
    from graphql import DocumentNode, OperationDefinitionNode

    from router.server.limits.cost.estimate import CostFunction
    from router.server.limits.cost.terms import Variables
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics
    from router.supergraph import Supergraph

__all__ = ["CostControl", "OperationCost"]


class OperationCost:
    """What one operation costs; part of the prepared operation."""

    __slots__ = ("_control", "_function")

    def __init__(self, function: CostFunction, control: CostControl) -> None:
        self._function = function
        self._control = control

    def estimate(self, variables: Variables) -> float:
        """Return the cost of the operation, 0 where the size of a list cannot be told as it must
        be and costs are not enforced.
        """
        try:
            return self._function(variables)
        except RequestError:
            if self._control.enforces:
                raise
            return 0.0

    def check(self, variables: Variables) -> None:
        """Measure the cost; refuse an operation that costs too much, where that is wanted."""
        self._control.check(self.estimate(variables))

    def report(self, variables: Variables) -> dict[str, Any]:
        """Return what the response extension ``cost`` says."""
        return {"estimated": self.estimate(variables), "max": self._control.max}


class CostControl:
    """The costs of one supergraph's operations, and what is done about them."""

    def __init__(self, supergraph: Supergraph, settings: RouterSettings, metrics: Metrics) -> None:
        self.enforces = settings.cost_mode is CostMode.ENFORCE
        self.max = settings.max_cost
        self._mutation = settings.cost_mutation
        self._model = CostModel(
            supergraph.api_schema, supergraph.costs, default_list_size=settings.cost_list_size
        )
        self._ok = metrics.operation_cost.labels("ok")
        self._too_expensive = metrics.operation_cost.labels("too_expensive")

    def compile(self, document: DocumentNode, operation: OperationDefinitionNode) -> OperationCost:
        """Compile an operation's cost."""
        function = compile_cost(self._model, document, operation, mutation=self._mutation)
        return OperationCost(function, self)

    def check(self, cost: float) -> None:
        """Count a cost, and refuse it where it is over the maximum."""
        if cost <= self.max:
            self._ok.observe(cost)
            return
        self._too_expensive.observe(cost)
        if self.enforces:
            message = f"The operation's estimated cost {cost:g} is over the maximum {self.max:g}"
            extensions = {"cost": {"estimated": cost, "max": self.max}}
            raise RequestError(
                RequestErrorCode.COST_ESTIMATED_TOO_EXPENSIVE,
                message,
                well_formed=True,
                errors=[{"message": message, "extensions": extensions}],
            )
