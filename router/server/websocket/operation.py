"""One operation on a WebSocket connection: through the pipeline, and its results to the client."""

from __future__ import annotations

from contextlib import aclosing
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from router.planner.plan import OperationKind
from router.server.errors import RequestError, internal_error
from router.server.headers import new_request_id
from router.server.pipeline.execute import execute, request_context
from router.server.pipeline.respond import result_payload
from router.server.telemetry import Outcome
from router.server.websocket.messages import complete_message, error_message, next_message

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator

    from router.executor import ExecutionResult
    from router.server.access.identity import Identity
    from router.server.generation import Generation, Generations
    from router.server.headers import ForwardedHeaders
    from router.server.limits.rates.limiter import Caller, RateLimiter
    from router.server.pipeline.identify import DocumentFinder
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings
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

    def leave(self) -> None:
        """End subscriptions of a replaced supergraph, in a way that the client renews them."""
        ...


class WebSocketOperation:
    """Runs in a task of its own, which is cancelled when the client completes the operation or
    leaves.

    A subscription stays on the generation it began on, and ends when that wants it to.
    """

    __slots__ = (
        "_caller",
        "_debug",
        "_documents",
        "_generations",
        "_headers",
        "_identity",
        "_metrics",
        "_rates",
        "_request",
        "_settings",
        "_sink",
        "id",
        "is_subscription",
        "task",
    )

    def __init__(
        self,
        identifier: str,
        request: GraphQLRequest,
        *,
        generations: Generations,
        documents: DocumentFinder,
        settings: RouterSettings,
        metrics: Metrics,
        headers: ForwardedHeaders,
        identity: Identity | None,
        debug: bool,
        rates: RateLimiter | None,
        caller: Caller,
        sink: OperationSink,
    ) -> None:
        self._rates = rates
        self._caller = caller
        self.id = identifier
        self._request = request
        self._generations = generations
        self._documents = documents
        self._settings = settings
        self._metrics = metrics
        self._headers = headers
        self._identity = identity
        self._debug = debug
        self._sink = sink
        self.task: asyncio.Task[None] | None = None
        self.is_subscription = False  # known when it is prepared

    async def run(self) -> None:
        """Run the operation and send its results, then ``complete`` or ``error``."""
        started = perf_counter()
        request_id = new_request_id()
        prepared: PreparedOperation | None = None
        outcome = Outcome.CANCELLED
        self._metrics.websocket_operations.inc()
        try:
            if self._rates is not None:
                await self._rates.take_request(self._caller)
            text = await self._documents.find(self._request)
            with self._generations.current as generation:
                prepared = generation.preparer.prepare(
                    text, self._request.operation_name, self._headers
                )
                variables = prepared.read_variables(self._request.variables)
                if self._rates is not None:
                    await self._rates.take_operation(self._caller, prepared, variables)
                if prepared.guarded is not None:
                    prepared = await generation.gate.admit(
                        prepared, variables, self._identity, request_id
                    )
                outcome = await self._execute(generation, prepared, variables, request_id)
            self._sink.finish(self, complete_message(self.id))
        except RequestError as error:
            outcome = Outcome.REFUSED
            self._refuse(error)
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered with its id only
            outcome = Outcome.FAILED
            _log.exception("operation failed", request_id=request_id)
            self._refuse(internal_error(request_id))
        finally:
            self._metrics.websocket_operations.dec()
            if prepared is not None:
                prepared.metrics.record(outcome, perf_counter() - started)

    async def _execute(
        self,
        generation: Generation,
        prepared: PreparedOperation,
        variables: dict[str, Any],
        request_id: str,
    ) -> str:
        subscription = prepared.kind is OperationKind.SUBSCRIPTION
        context = request_context(
            headers=self._headers,
            request_id=request_id,
            timeout=None if subscription else self._settings.request_timeout,
            debug=self._debug,
            identity=self._identity,
        )
        if not subscription:
            result = await execute(generation, prepared, variables, context)
            payload = result_payload(result, prepared, variables, debug=self._debug)
            self._sink.send(self, next_message(self.id, payload))
            return Outcome.ERRORS if result.errors else Outcome.OK
        self.is_subscription = True
        results = generation.executor.subscribe(prepared.program, variables, context)
        with generation.subscription(self._sink.leave):
            return await self._forward(results, prepared, variables)

    async def _forward(
        self,
        results: AsyncGenerator[ExecutionResult, None],
        prepared: PreparedOperation,
        variables: dict[str, Any],
    ) -> str:
        """Send the events of a subscription."""
        outcome = Outcome.OK
        async with aclosing(results):
            async for result in results:
                if result.errors:
                    outcome = Outcome.ERRORS
                payload = result_payload(result, prepared, variables, debug=self._debug)
                self._sink.send(self, next_message(self.id, payload))
        return outcome

    def _refuse(self, error: RequestError) -> None:
        self._metrics.refuse(error.code)
        self._sink.finish(self, error_message(self.id, error.errors))
