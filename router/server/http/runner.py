"""Runs the operation of an HTTP request through the pipeline."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from router.planner.plan import OperationKind
from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import HangupWatch
from router.server.pipeline.execute import execute, request_context
from router.server.pipeline.respond import result_payload
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from starlette.types import Receive

    from router.server.errors import Header
    from router.server.generation import Generations
    from router.server.headers import RequestHeaders
    from router.server.limits.rates.limiter import Caller, RateLimiter
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings

__all__ = ["HttpOperation", "OperationRunner"]


class HttpOperation:
    """One operation while it is answered: what is known of it, for metrics and the log, however it
    ends.
    """

    __slots__ = (
        "caller",
        "headers",
        "method",
        "outcome",
        "prepared",
        "rate_headers",
        "started",
    )

    def __init__(self, headers: RequestHeaders, method: str) -> None:
        self.headers = headers
        self.method = method
        self.started = perf_counter()
        self.prepared: PreparedOperation | None = None
        self.outcome = Outcome.FAILED
        self.caller: Caller | None = None  # None: there are no rate limits
        self.rate_headers: tuple[Header, ...] = ()


class OperationRunner:
    """Runs operations of HTTP requests on the current generation."""

    def __init__(
        self, generations: Generations, settings: RouterSettings, rates: RateLimiter | None
    ) -> None:
        self._rates = rates
        self._generations = generations
        self._settings = settings

    async def run(
        self, operation: HttpOperation, request: GraphQLRequest, receive: Receive
    ) -> dict[str, Any]:
        """Return the response of an operation that ran.

        Raises RequestError for one that is refused, ClientGoneError when a query's client has hung
        up. A mutation that has begun is finished, whether or not anybody still listens.
        """
        with self._generations.current as generation:
            prepared = generation.preparer.prepare(request.query, request.operation_name)
            operation.prepared = prepared
            _require_method(prepared.kind, operation.method)
            variables = prepared.read_variables(request.variables)
            if self._rates is not None and operation.caller is not None:
                operation.rate_headers += await self._rates.take_operation(
                    operation.caller, prepared, variables
                )
            debug = self._settings.shows_extensions and operation.headers.wants_debug
            context = request_context(
                headers=operation.headers.forward,
                request_id=operation.headers.request_id,
                timeout=self._settings.request_timeout,
                debug=debug,
            )
            if prepared.kind is OperationKind.QUERY:
                with HangupWatch(receive):
                    result = await execute(generation, prepared, variables, context)
            else:
                result = await execute(generation, prepared, variables, context)
            operation.outcome = Outcome.ERRORS if result.errors else Outcome.OK
            return result_payload(result, prepared, variables, debug=debug)


def _require_method(kind: OperationKind, method: str) -> None:
    if kind is OperationKind.MUTATION and method != "POST":
        raise RequestError(
            RequestErrorCode.METHOD_NOT_ALLOWED,
            "Mutations need POST",
            status=405,
            headers=((b"allow", b"POST"),),
        )
    if kind is OperationKind.SUBSCRIPTION:
        raise RequestError(
            RequestErrorCode.NOT_ACCEPTABLE,
            "Subscriptions need a WebSocket with the subprotocol graphql-transport-ws",
            status=406,
        )
