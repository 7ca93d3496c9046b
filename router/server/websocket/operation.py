"""One operation on a WebSocket connection: through the pipeline, and its results to the client."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from router.planner.plan import OperationKind
from router.server.errors import RequestError, internal_error
from router.server.headers import new_request_id
from router.server.pipeline.execute import execute, request_context
from router.server.pipeline.respond import encode, result_payload, with_carried
from router.server.response_headers import CollectedHeaders
from router.server.telemetry import Outcome
from router.server.websocket.messages import complete_message, error_message, next_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.executor.context import ErrorDict
    from router.server.access.identity import Identity
    from router.server.generation import Generation, Generations
    from router.server.headers import ForwardedHeaders
    from router.server.limits.rates.limiter import Caller, RateLimiter
    from router.server.pipeline.identify import DocumentFinder
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings
    from router.server.subscriptions.ending import EndReason
    from router.server.subscriptions.hub import Member
    from router.server.telemetry import Metrics

__all__ = ["OperationSink", "WebSocketOperation"]

_log = structlog.get_logger(__name__)


class OperationSink(Protocol):
    """The connection, as an operation sees it."""

    def send(self, operation: WebSocketOperation, text: str) -> None:
        """Queue a message of a running operation."""
        ...

    def finish(self, operation: WebSocketOperation, text: str) -> None:
        """Queue an operation's last message and give its id free."""
        ...

    def carry(self, headers: dict[str, str]) -> None:
        """Bring these headers with the queries and mutations to come."""
        ...

    def leave(self) -> None:
        """End subscriptions of a replaced supergraph, in a way that the client renews them."""
        ...


class WebSocketOperation:
    """An operation under the id that the client chose.

    It begins in a task of its own. A query or mutation stays there to its end; a subscription
    leaves it for the hub of its generation, which then calls :meth:`deliver` and :meth:`end`.
    """

    __slots__ = (
        "_caller",
        "_debug",
        "_documents",
        "_generations",
        "_has_errors",
        "_headers",
        "_identity",
        "_is_over",
        "_member",
        "_metrics",
        "_prepared",
        "_rates",
        "_settings",
        "_sink",
        "_started",
        "_task",
        "_with_mutations",
        "id",
    )

    def __init__(
        self,
        identifier: str,
        *,
        generations: Generations,
        documents: DocumentFinder,
        settings: RouterSettings,
        metrics: Metrics,
        headers: ForwardedHeaders,
        with_mutations: ForwardedHeaders,
        identity: Identity | None,
        debug: bool,
        rates: RateLimiter | None,
        caller: Caller,
        sink: OperationSink,
    ) -> None:
        self._rates = rates
        self._caller = caller
        self.id = identifier
        self._generations = generations
        self._documents = documents
        self._settings = settings
        self._metrics = metrics
        self._headers = headers
        self._with_mutations = with_mutations
        self._identity = identity
        self._debug = debug
        self._sink = sink
        self._started = perf_counter()
        self._prepared: PreparedOperation | None = None
        self._has_errors = False
        self._is_over = False
        self._member: Member | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, request: GraphQLRequest) -> asyncio.Task[None]:
        """Begin; returns the task, which ends early when the operation is a subscription."""
        self._metrics.connections.websocket_operations.inc()
        self._task = asyncio.get_running_loop().create_task(self._run(request))
        return self._task

    def cancel(self) -> None:
        """Give the operation up, silently: the client has completed it or left.

        A mutation that has begun is finished all the same, as over HTTP.
        """
        if self._member is not None:
            self._member.leave()
        elif self._is_mutation:
            return
        elif self._task is not None:
            self._task.cancel()
        self._record(Outcome.CANCELLED)

    def deliver(self, payload: str, *, has_errors: bool) -> None:
        """Send an event of the subscription."""
        self._has_errors |= has_errors
        self._sink.send(self, next_message(self.id, payload))

    def end(self, outcome: str, errors: list[ErrorDict] | None = None) -> None:
        """Send the last message: ``complete``, or ``error`` with these errors."""
        if outcome is Outcome.OK and self._has_errors:
            outcome = Outcome.ERRORS
        self._record(outcome)
        last = complete_message(self.id) if errors is None else error_message(self.id, errors)
        self._sink.finish(self, last)

    def end_early(self, reason: EndReason) -> None:
        """End the operation from the router's side and tell the client why."""
        self.cancel()
        self._sink.finish(self, error_message(self.id, reason.errors()))

    @property
    def is_subscription(self) -> bool:
        """Whether it is a subscription that runs."""
        return self._member is not None

    @property
    def renewal(self) -> Callable[[], None]:
        """Close the connection when the supergraph has been replaced."""
        return self._sink.leave

    @property
    def _is_mutation(self) -> bool:
        return self._prepared is not None and self._prepared.kind is OperationKind.MUTATION

    async def _run(self, request: GraphQLRequest) -> None:
        request_id = new_request_id()
        try:
            if self._rates is not None:
                await self._rates.take_request(self._caller)
            text = await self._documents.find(request)
            with self._generations.current as generation:
                prepared, variables = await self._admit(generation, text, request, request_id)
                await self._begin(generation, prepared, variables, request_id)
        except RequestError as error:
            self._metrics.refuse(error.code)
            self.end(Outcome.REFUSED, error.errors)
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered with its id only
            _log.exception("operation failed", request_id=request_id)
            refusal = internal_error(request_id)
            self._metrics.refuse(refusal.code)
            self.end(Outcome.FAILED, refusal.errors)

    async def _admit(
        self, generation: Generation, text: str, request: GraphQLRequest, request_id: str
    ) -> tuple[PreparedOperation, dict[str, Any]]:
        """Return what of the operation runs for this caller, and its variables."""
        prepared = generation.preparer.prepare(text, request.operation_name, self._headers)
        self._prepared = prepared
        variables = prepared.read_variables(request.variables)
        if self._rates is not None:
            await self._rates.take_operation(self._caller, prepared, variables)
        if prepared.guarded is not None:
            prepared = await generation.gate.admit(prepared, variables, self._identity, request_id)
        return prepared, variables

    async def _begin(
        self,
        generation: Generation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        request_id: str,
    ) -> None:
        subscription = prepared.kind is OperationKind.SUBSCRIPTION
        mutation = prepared.kind is OperationKind.MUTATION
        carries = frozenset(self._settings.carried_headers)
        collected = CollectedHeaders(carried=carries) if mutation and carries else None
        headers = self._headers
        if mutation:
            headers += self._with_mutations
        elif subscription and carries:
            headers = tuple(header for header in headers if header[0] not in carries)
        context = request_context(
            headers=headers,
            request_id=request_id,
            timeout=None if subscription else self._settings.request_timeout,
            debug=self._debug,
            identity=self._identity,
            collected=collected,
        )
        if subscription:
            self._member = generation.subscriptions.join(
                generation, prepared, variables, context, self
            )
            self._task = None  # it has done its part; the rest is memory
            return
        result = await execute(generation, prepared, variables, context)
        payload = result_payload(result, prepared, variables, debug=self._debug)
        if collected is not None and (carried := collected.carried()):
            self._sink.carry(carried)
            payload = with_carried(payload, carried)
        self.deliver(encode(payload).decode(), has_errors=bool(result.errors))
        self.end(Outcome.OK)

    def _record(self, outcome: str) -> None:
        """Tell the metrics of the end, once."""
        if self._is_over:
            return
        self._is_over = True
        self._metrics.connections.websocket_operations.dec()
        if self._prepared is not None:
            self._prepared.metrics.record(outcome, perf_counter() - self._started)
