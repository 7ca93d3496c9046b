"""Stages 2 to 5 with their memory: a text and an operation name into an operation that is ready to
run.

What a client's text leads to depends on nothing but the supergraph and the settings, so it is
remembered: the hot path is one dictionary lookup. Refusals are remembered too, apart from the good
ones, so that a client that repeats an invalid document costs little and cannot push anybody's
operations out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from router.planner.deferrals import find_deferrals
from router.planner.plan import OperationKind
from router.server.access.guards import find_guards
from router.server.access.operation import GuardedOperation
from router.server.access.rules import AccessRules
from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.cost.control import CostControl
from router.server.limits.document import DocumentLimits, check_document
from router.server.limits.inputs import InputLimits
from router.server.lru import LruCache
from router.server.override_labels import OverrideLabels
from router.server.pipeline.parse import parse_document, select_operation
from router.server.pipeline.plan import compile_plan, plan_operation
from router.server.pipeline.validate import validate_document
from router.server.pipeline.variables import VariableReader
from router.server.settings import AccessMode
from router.supergraph.schemas import with_defer

if TYPE_CHECKING:
    from graphql import DocumentNode, OperationDefinitionNode

    from router.executor import Program
    from router.executor.withheld import Withheld
    from router.planner import Planner
    from router.planner.plan import QueryPlan
    from router.server.headers import ForwardedHeaders
    from router.server.limits.cost.control import OperationCost
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics, OperationMetrics
    from router.supergraph.model import Supergraph

__all__ = ["OperationKey", "OperationPreparer", "PreparedOperation"]

OperationKey = tuple[str, str | None]  # the document's text, the operation's name

_NO_LABELS: frozenset[str] = frozenset()
_MAX_VARIANTS = 32  # of one operation, under different labels
_MAX_REFUSALS = 256
_MAX_REFUSED_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedOperation:
    """An operation that only waits for variables; shared by all requests for it."""

    kind: OperationKind
    name: str | None
    variables: VariableReader
    plan: QueryPlan
    program: Program
    metrics: OperationMetrics
    labels_on: frozenset[str]  # of those override labels that the plan depends on
    cost: OperationCost | None = None  # None: costs are off
    guarded: GuardedOperation | None = None  # it is not for everybody
    deferring: Program | None = None  # for clients that take parts; None: nothing is deferred

    def in_parts(self, variables: dict[str, Any]) -> PreparedOperation | None:
        """Return the operation as it is answered in parts; None when nothing is deferred with these
        variables.
        """
        if self.deferring is None or not self.deferring.defers(variables):
            return None
        return replace(self, plan=self.deferring.plan, program=self.deferring)

    def read_variables(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the operation's variables, checked and completed.

        Raises what ``VariableReader.read`` does, and refuses what costs too much with them.
        """
        variables = self.variables.read(given)
        if self.cost is not None:
            self.cost.check(variables)
        return variables


class OperationPreparer:
    """Prepares operations for one supergraph, and remembers them."""

    def __init__(
        self, supergraph: Supergraph, planner: Planner, settings: RouterSettings, metrics: Metrics
    ) -> None:
        if settings.defer:
            supergraph = replace(supergraph, api_schema=with_defer(supergraph.api_schema))
        self._supergraph = supergraph
        self._planner = planner
        self._settings = settings
        self._metrics = metrics
        self._document_limits = DocumentLimits.of(settings)
        self._input_limits = InputLimits.of(settings)
        self._costs = CostControl(supergraph, settings, metrics) if settings.needs_costs else None
        self._access = AccessRules(supergraph)
        self._labels = OverrideLabels.of(supergraph, settings)
        self._prepared: LruCache[OperationKey, list[PreparedOperation]] = LruCache(
            max_entries=settings.operation_cache_size,
            max_weight=settings.operation_cache_characters,
        )
        self._refused: LruCache[OperationKey, RequestError] = LruCache(
            max_entries=_MAX_REFUSALS, max_weight=_MAX_REFUSED_CHARACTERS
        )

    def prepare(
        self, text: str, operation_name: str | None, headers: ForwardedHeaders = ()
    ) -> PreparedOperation:
        """Return the operation, from memory if it was seen lately; raises what the stages raise.

        ``headers`` may decide which override labels are on.
        """
        labels = _NO_LABELS if self._labels is None else self._labels.on_for(headers)
        return self._prepare_for(text, operation_name, labels)

    def _prepare_for(
        self, text: str, operation_name: str | None, labels: frozenset[str]
    ) -> PreparedOperation:
        key = (text, operation_name)
        variants = self._prepared.get(key)
        if variants is not None:
            for prepared in variants:
                if labels & prepared.plan.labels == prepared.labels_on:
                    return prepared
        refusal = self._refused.get(key)
        if refusal is not None:
            raise refusal.again()
        try:
            prepared = self._prepare(text, operation_name, labels)
        except RecursionError:
            # Only where the limits on depth are set higher than the interpreter's stack allows.
            error = RequestError(
                RequestErrorCode.MAX_DEPTH_LIMIT, "The document is too deep", well_formed=True
            )
            self._refused.put(key, error, len(text))
            raise error.again() from None
        except RequestError as error:
            self._refused.put(key, error.again(), len(text))
            raise
        if variants is None:
            self._prepared.put(key, [prepared], len(text))
        else:
            variants.append(prepared)
            del variants[:-_MAX_VARIANTS]
        return prepared

    def hottest(self, count: int) -> list[OperationKey]:
        """Return the remembered operations that were asked for most often, the first one first."""
        return self._prepared.hottest(count)

    def warm(self, key: OperationKey) -> bool:
        """Prepare an operation before anybody asks for it; False when it has to be refused."""
        try:
            self._prepare_for(*key, _NO_LABELS if self._labels is None else self._labels.likely)
        except RequestError:
            return False
        return True

    def _prepare(
        self, text: str, operation_name: str | None, labels: frozenset[str]
    ) -> PreparedOperation:
        settings, timed = self._settings, self._metrics.timed
        with timed("parse"):
            document = parse_document(text, max_tokens=settings.max_tokens)
        with timed("limits"):
            check_document(document, self._document_limits)
        operation = select_operation(document, operation_name)
        schema = self._supergraph.api_schema
        with timed("validate"):
            validate_document(
                schema,
                document,
                max_errors=settings.max_validation_errors,
                max_work=settings.max_validation_work,
                introspection=settings.shows_introspection,
                suggestions=settings.shows_suggestions,
            )
        with timed("plan"):
            plan = plan_operation(self._planner, document, operation, labels)
        with timed("compile"):
            program = compile_plan(self._supergraph, document, operation, plan)
        deferring = self._deferring(text, document, operation, labels)
        if deferring is not None:
            plan = replace(plan, labels=plan.labels | deferring.plan.labels)
        kind = OperationKind(operation.operation.value)
        name = operation.name.value if operation.name is not None else None
        prepared = PreparedOperation(
            kind=kind,
            name=name,
            variables=VariableReader(
                schema,
                operation,
                limits=self._input_limits,
                suggestions=settings.shows_suggestions,
            ),
            plan=plan,
            program=program,
            metrics=self._metrics.operations.of(kind, name),
            cost=None if self._costs is None else self._costs.compile(document, operation),
            labels_on=labels & plan.labels,
            deferring=deferring,
        )
        return self._guard(prepared, document, operation)

    def _deferring(
        self,
        text: str,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        labels: frozenset[str],
    ) -> Program | None:
        """Compile an operation for an answer in parts; None when it defers nothing, or too much."""
        if not self._settings.defer or "defer" not in text:  # quickly told of most
            return None
        kind = OperationKind(operation.operation.value)
        if kind is OperationKind.SUBSCRIPTION or not find_deferrals(document, operation):
            return None
        with self._metrics.timed("plan"):
            plan = plan_operation(self._planner, document, operation, labels, defer=True)
        if sum(bool(fetch.blocks) for fetch in plan.fetches) > self._settings.max_deferred_fetches:
            return None
        with self._metrics.timed("compile"):
            return compile_plan(self._supergraph, document, operation, plan)

    def _guard(
        self,
        prepared: PreparedOperation,
        document: DocumentNode,
        operation: OperationDefinitionNode,
    ) -> PreparedOperation:
        """Return the operation with what its callers must be allowed, if that is anything."""
        if self._settings.access_mode is AccessMode.OFF:
            return prepared
        schema, timed = self._supergraph.api_schema, self._metrics.timed
        guards = find_guards(self._access, schema, document, operation)
        if guards is None:
            return prepared

        def compile_less(
            less: DocumentNode, left: OperationDefinitionNode, withheld: Withheld
        ) -> PreparedOperation:
            with timed("plan"):
                plan = plan_operation(self._planner, less, left, prepared.labels_on)
            with timed("compile"):
                program = compile_plan(self._supergraph, document, operation, plan, withheld)
            # What is left is not the operation that the parts are made for.
            return replace(prepared, plan=plan, program=program, deferring=None)

        guarded = GuardedOperation(schema, document, operation, guards, compile_less)
        return replace(prepared, guarded=guarded)
