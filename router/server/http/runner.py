"""Runs the operations of an HTTP request, one or a batch, through the pipeline."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from router.planner.plan import OperationKind
from router.server.errors import RequestError, RequestErrorCode, internal_error
from router.server.hangup import ClientGoneError, HangupWatch
from router.server.http.parts import PartWriter
from router.server.negotiation import accepts_parts, negotiate_stream
from router.server.pipeline.execute import deliver, execute, request_context
from router.server.pipeline.respond import (
    error_payload,
    partial_payload,
    result_payload,
    with_carried,
)
from router.server.response_headers import collected_headers
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive

    from router.executor import PartialResult, RequestContext
    from router.server.errors import Header
    from router.server.generation import Generation, Generations
    from router.server.headers import RequestHeaders
    from router.server.http.streams import StreamChannel, SubscriptionStreams
    from router.server.limits.rates.limiter import Caller, RateLimiter
    from router.server.negotiation import StreamType
    from router.server.pipeline.identify import DocumentFinder
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["HttpOperation", "OperationRunner"]

_log = structlog.get_logger(__name__)


class HttpOperation:
    """One operation while it is answered: what is known of it, for metrics and the log, however it
    ends.
    """

    __slots__ = (
        "caller",
        "headers",
        "is_of_batch",
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
        self.is_of_batch = False

    def another(self) -> HttpOperation:
        """Return another operation of the same request, for a batch."""
        other = HttpOperation(self.headers, self.method)
        other.caller = self.caller
        other.is_of_batch = True
        return other

    def record(self) -> float:
        """Count the operation, which has ended; returns how many seconds it took."""
        seconds = perf_counter() - self.started
        if self.prepared is not None:
            self.prepared.metrics.record(self.outcome, seconds)
        return seconds


class OperationRunner:
    """Runs operations of HTTP requests on the current generation."""

    def __init__(
        self,
        generations: Generations,
        settings: RouterSettings,
        metrics: Metrics,
        documents: DocumentFinder,
        rates: RateLimiter | None,
        streams: SubscriptionStreams,
    ) -> None:
        self._rates = rates
        self._streams = streams
        self._generations = generations
        self._settings = settings
        self._metrics = metrics
        self._documents = documents

    async def run(
        self, operation: HttpOperation, request: GraphQLRequest, channel: StreamChannel
    ) -> dict[str, Any] | int:
        """Return the response of an operation that ran; of a subscription, which has been answered
        event by event, and of what has been answered in parts, only how many bytes that were.

        Raises RequestError for one that is refused, ClientGoneError when a query's client has hung
        up. A mutation that has begun is finished, whether or not anybody still listens.
        """
        text = await self._documents.find(request)
        with self._generations.current as generation:
            ready = await self._prepare(generation, operation, request, text)
            if (deferring := _in_parts(operation, ready)) is not None:
                return await self._deliver(generation, operation, deferring, channel)
            if ready.prepared.kind is OperationKind.QUERY:
                with HangupWatch(channel.receive):
                    return await self._execute(generation, operation, ready)
            if ready.prepared.kind is OperationKind.SUBSCRIPTION:
                return await self._subscribe(generation, operation, ready, channel)
            return await self._execute(generation, operation, ready)

    async def run_batch(
        self,
        operations: Sequence[HttpOperation],
        requests: Sequence[GraphQLRequest | RequestError],
        receive: Receive,
    ) -> list[dict[str, Any]]:
        """Return a response for each operation, in order; they run concurrently, and a refused one
        hurts no other.

        Raises ClientGoneError when the client has hung up, unless a mutation is among them.
        """
        with self._generations.current as generation:
            steps = [
                await self._ready(generation, operation, request)
                for operation, request in zip(operations, requests, strict=True)
            ]
            running = asyncio.gather(
                *(
                    self._answer(generation, operation, ready)
                    for operation, ready in zip(operations, steps, strict=True)
                )
            )
            if any(isinstance(ready, _Ready) and ready.is_mutation for ready in steps):
                return await running
            with HangupWatch(receive):
                return await running

    def refuse(self, operation: HttpOperation, error: Exception) -> RequestError:
        """Count an operation that has no result, and return what its client learns of the reason:
        of an unexpected exception only where to ask about it.
        """
        if isinstance(error, RequestError):
            operation.outcome = Outcome.REFUSED
            refusal = error
        else:
            request_id = operation.headers.request_id
            _log.error("request failed", request_id=request_id, exc_info=error)
            refusal = internal_error(request_id)
        self._metrics.refuse(refusal.code)
        return refusal

    async def _prepare(
        self, generation: Generation, operation: HttpOperation, request: GraphQLRequest, text: str
    ) -> _Ready:
        prepared = generation.preparer.prepare(
            text, request.operation_name, operation.headers.forward
        )
        operation.prepared = prepared
        _require_method(prepared.kind, operation)
        if request.has_uploads and prepared.kind is not OperationKind.MUTATION:
            raise RequestError(RequestErrorCode.UPLOAD_NOT_ALLOWED, "Only mutations take files")
        variables = prepared.read_variables(request.variables)
        if self._rates is not None and operation.caller is not None:
            operation.rate_headers += await self._rates.take_operation(
                operation.caller, prepared, variables
            )
        if prepared.guarded is not None:
            headers = operation.headers
            prepared = await generation.gate.admit(
                prepared, variables, headers.identity, headers.request_id
            )
        return _Ready(prepared, variables, request.has_uploads)

    async def _execute(
        self, generation: Generation, operation: HttpOperation, ready: _Ready
    ) -> dict[str, Any]:
        context = self._context(operation, ready, timeout=self._settings.request_timeout)
        result = await execute(generation, ready.prepared, ready.variables, context)
        operation.outcome = Outcome.ERRORS if result.errors else Outcome.OK
        debug = context.collect_extensions
        payload = result_payload(result, ready.prepared, ready.variables, debug=debug)
        collected = collected_headers()
        return payload if collected is None else with_carried(payload, collected.carried())

    async def _deliver(
        self,
        generation: Generation,
        operation: HttpOperation,
        ready: _Ready,
        channel: StreamChannel,
    ) -> int:
        """Answer in parts; returns the size of the body.

        A client that hangs up ends what is under way, but not what a mutation's first part waits
        for.
        """
        writer = PartWriter(operation, channel.send)
        context = self._context(operation, ready, timeout=self._settings.request_timeout)
        results = deliver(generation, ready.prepared, ready.variables, context)
        try:
            async with aclosing(results):
                early = await anext(results) if ready.is_mutation else None
                with HangupWatch(channel.receive):
                    first = await anext(results) if early is None else early
                    await _write(first, operation, ready, writer, debug=context.collect_extensions)
                    async for result in results:
                        await _write(result, operation, ready, writer, debug=False)
        except ClientGoneError:
            raise
        except Exception as error:
            if not writer.is_started:
                raise
            refusal = self.refuse(operation, error)  # the last resort: the answer has begun
            operation.outcome = Outcome.FAILED
            await writer.write({**error_payload(refusal), "hasNext": False}, last=True)
        return writer.size

    async def _subscribe(
        self,
        generation: Generation,
        operation: HttpOperation,
        ready: _Ready,
        channel: StreamChannel,
    ) -> int:
        kind = _stream_type(operation)
        # Headers of subgraphs' answers would come after ours, and pile up. What is carried would
        # keep equal subscriptions apart.
        context = self._context(operation, ready, timeout=None)
        carried = self._settings.carried_headers
        headers = tuple(header for header in context.headers if header[0] not in carried)
        context = replace(context, headers=headers, response_headers=None)
        hub, prepared = generation.subscriptions, ready.prepared
        join = partial(hub.join, generation, prepared, ready.variables, context)
        return await self._streams.serve(operation, kind, join, channel)

    def _context(
        self, operation: HttpOperation, ready: _Ready, *, timeout: float | None
    ) -> RequestContext:
        given = operation.headers
        return request_context(
            headers=given.forward + given.with_mutations if ready.is_mutation else given.forward,
            request_id=given.request_id,
            timeout=timeout,
            debug=self._settings.shows_extensions and given.wants_debug,
            has_uploads=ready.has_uploads,
            identity=given.identity,
            collected=collected_headers(),
        )

    async def _ready(
        self,
        generation: Generation,
        operation: HttpOperation,
        request: GraphQLRequest | RequestError,
    ) -> _Ready | Exception:
        """Prepare an operation of a batch; what is wrong with it is returned."""
        if isinstance(request, RequestError):
            return request
        try:
            text = await self._documents.find(request)
            return await self._prepare(generation, operation, request, text)
        except Exception as error:  # noqa: BLE001 - becomes this operation's answer
            return error

    async def _answer(
        self, generation: Generation, operation: HttpOperation, ready: _Ready | Exception
    ) -> dict[str, Any]:
        if isinstance(ready, Exception):
            return error_payload(self.refuse(operation, ready))
        try:
            return await self._execute(generation, operation, ready)
        except Exception as error:  # noqa: BLE001 - becomes this operation's answer
            return error_payload(self.refuse(operation, error))


class _Ready(NamedTuple):
    """An operation that only has to be executed."""

    prepared: PreparedOperation
    variables: dict[str, Any]
    has_uploads: bool

    @property
    def is_mutation(self) -> bool:
        return self.prepared.kind is OperationKind.MUTATION


_STREAM_NEEDED = RequestError(
    RequestErrorCode.NOT_ACCEPTABLE,
    "Subscriptions need a WebSocket with the subprotocol graphql-transport-ws, or a request that"
    " accepts text/event-stream or multipart/mixed;subscriptionSpec=1.0",
    status=406,
)


def _in_parts(operation: HttpOperation, ready: _Ready) -> _Ready | None:
    """The operation as it is answered in parts; None where nothing is deferred, or the client takes
    no parts.
    """
    if ready.prepared.deferring is None or operation.method == "HEAD":
        return None
    if not accepts_parts(operation.headers.get(b"accept")):
        return None
    deferring = ready.prepared.in_parts(ready.variables)
    return None if deferring is None else ready._replace(prepared=deferring)


async def _write(
    result: PartialResult,
    operation: HttpOperation,
    ready: _Ready,
    writer: PartWriter,
    *,
    debug: bool,
) -> None:
    if operation.outcome is not Outcome.ERRORS:
        operation.outcome = Outcome.ERRORS if result.has_errors else Outcome.OK
    payload = partial_payload(result, ready.prepared, ready.variables, debug=debug)
    await writer.write(payload, last=not result.has_next)


def _require_method(kind: OperationKind, operation: HttpOperation) -> None:
    if kind is OperationKind.MUTATION and operation.method != "POST":
        raise RequestError(
            RequestErrorCode.METHOD_NOT_ALLOWED,
            "Mutations need POST",
            status=405,
            headers=((b"allow", b"POST"),),
        )
    if kind is not OperationKind.SUBSCRIPTION:
        return
    if operation.is_of_batch:
        raise RequestError(
            RequestErrorCode.NOT_ACCEPTABLE, "Subscriptions cannot be in batches", status=406
        )
    if operation.method == "HEAD":
        raise RequestError(
            RequestErrorCode.METHOD_NOT_ALLOWED,
            "Subscriptions need GET or POST",
            status=405,
            headers=((b"allow", b"GET, POST"),),
        )
    _stream_type(operation)


def _stream_type(operation: HttpOperation) -> StreamType:
    kind = negotiate_stream(operation.headers.get(b"accept"))
    if kind is None:
        raise _STREAM_NEEDED.again()
    return kind
