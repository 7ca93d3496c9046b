"""GraphQL over HTTP: one request through the pipeline and its answer back, straight on ASGI.

Status and media type follow the GraphQL over HTTP specification
(https://graphql.github.io/graphql-over-http/). The hot path allocates little: one pass over the
headers, one look-up for the operation, one JSON dump.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import structlog

from router.planner.plan import OperationKind
from router.server.csrf import require_preflight
from router.server.errors import RequestError, RequestErrorCode, internal_error
from router.server.hangup import ClientGoneError, HangupWatch
from router.server.negotiation import ResponseType, is_json, negotiate
from router.server.pipeline.execute import execute, request_context
from router.server.pipeline.read import GraphQLRequest, read_json, read_query_string
from router.server.pipeline.respond import encode, error_payload, result_payload
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from router.server.access_log import AccessLog
    from router.server.generation import Generations
    from router.server.headers import RequestHeaders
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["HttpEndpoint"]

_log = structlog.get_logger(__name__)

_ALLOW = (b"allow", b"GET, HEAD, POST, OPTIONS")
_NO_STORE = (b"cache-control", b"no-store")


class _Exchange:
    """One request while it is answered: what is known of it, for metrics and the log, however it
    ends.
    """

    __slots__ = ("headers", "outcome", "prepared", "started")

    def __init__(self, headers: RequestHeaders) -> None:
        self.headers = headers
        self.started = perf_counter()
        self.prepared: PreparedOperation | None = None
        self.outcome = Outcome.FAILED


class HttpEndpoint:
    """The GraphQL path over HTTP."""

    def __init__(
        self,
        generations: Generations,
        settings: RouterSettings,
        metrics: Metrics,
        access_log: AccessLog | None,
    ) -> None:
        self._generations = generations
        self._settings = settings
        self._metrics = metrics
        self._access_log = access_log

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, headers: RequestHeaders
    ) -> None:
        """Answer one HTTP request; never raises for what a client sent."""
        if scope["method"] == "OPTIONS":
            await _send(send, 204, b"", ((b"allow", _ALLOW[1]),))
            return
        exchange = _Exchange(headers)
        media_type = negotiate(headers.get(b"accept"))
        status, body = (
            499,
            b"",
        )  # what the access log says of a client that went away (nginx's number)
        try:
            status, body, extra = await self._answer(exchange, media_type, scope, receive)
            await _send(
                send,
                status,
                body,
                (
                    (b"content-type", (media_type or ResponseType.JSON).value),
                    (b"content-length", b"%d" % len(body)),
                    (b"x-request-id", headers.request_id.encode("latin-1")),
                    _NO_STORE,
                    *extra,
                ),
            )
        except ClientGoneError:
            exchange.outcome = Outcome.CANCELLED
        finally:
            self._record(exchange, scope, status, len(body))

    async def _answer(
        self,
        exchange: _Exchange,
        media_type: ResponseType | None,
        scope: Scope,
        receive: Receive,
    ) -> tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]:
        """Return status, body and further headers."""
        try:
            if media_type is None:
                raise _NOT_ACCEPTABLE.again()
            request = await self._read(scope, receive, exchange.headers)
            payload = await self._run(exchange, request, scope["method"], receive)
            return 200, encode(payload), ()
        except RequestError as error:
            exchange.outcome = Outcome.REFUSED
            refusal = error
        except ClientGoneError:
            raise
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered with its id only
            request_id = exchange.headers.request_id
            _log.exception("request failed", request_id=request_id)
            refusal = internal_error(request_id)
        self._metrics.refuse(refusal.code)
        lenient = refusal.well_formed and media_type is ResponseType.JSON
        return 200 if lenient else refusal.status, encode(error_payload(refusal)), refusal.headers

    async def _read(
        self, scope: Scope, receive: Receive, headers: RequestHeaders
    ) -> GraphQLRequest:
        method = scope["method"]
        if method == "POST":
            _require_json(headers)
            return read_json(await self._read_body(receive, headers))
        if method in {"GET", "HEAD"}:
            if self._settings.csrf_prevention:
                require_preflight(headers)
            return read_query_string(scope["query_string"])
        raise RequestError(
            RequestErrorCode.METHOD_NOT_ALLOWED,
            "GraphQL requests are made with GET or POST",
            status=405,
            headers=(_ALLOW,),
        )

    async def _read_body(self, receive: Receive, headers: RequestHeaders) -> bytes:
        limit = self._settings.max_body_bytes
        announced = headers.get(b"content-length")
        if announced is not None and announced.isdigit() and int(announced) > limit:
            raise _too_large(limit)
        message = await receive()
        if not message.get("more_body") and message["type"] == "http.request":
            body: bytes = message.get("body", b"")  # all of it at once, as nearly always
            if len(body) > limit:
                raise _too_large(limit)
            return body
        collected = bytearray()
        while message["type"] == "http.request":
            collected += message.get("body", b"")
            if len(collected) > limit:
                raise _too_large(limit)
            if not message.get("more_body"):
                return bytes(collected)
            message = await receive()
        raise ClientGoneError

    async def _run(
        self, exchange: _Exchange, request: GraphQLRequest, method: str, receive: Receive
    ) -> dict[str, Any]:
        with self._generations.current as generation:
            prepared = generation.preparer.prepare(request.query, request.operation_name)
            exchange.prepared = prepared
            _require_method(prepared.kind, method)
            variables = prepared.variables.read(request.variables)
            debug = self._settings.shows_extensions and exchange.headers.wants_debug
            context = request_context(
                headers=exchange.headers.forward,
                request_id=exchange.headers.request_id,
                timeout=self._settings.request_timeout,
                debug=debug,
            )
            if prepared.kind is OperationKind.QUERY:
                with HangupWatch(receive):
                    result = await execute(generation, prepared, variables, context)
            else:  # a mutation that has begun is finished, whether or not anybody still listens
                result = await execute(generation, prepared, variables, context)
            exchange.outcome = Outcome.ERRORS if result.errors else Outcome.OK
            return result_payload(result, prepared, debug=debug)

    def _record(self, exchange: _Exchange, scope: Scope, status: int, size: int) -> None:
        seconds = perf_counter() - exchange.started
        prepared = exchange.prepared
        if prepared is not None:
            prepared.metrics.record(exchange.outcome, seconds)
        if self._access_log is not None:
            self._access_log.request(
                scope,
                request_id=exchange.headers.request_id,
                status=status,
                seconds=seconds,
                size=size,
                operation=prepared,
                outcome=exchange.outcome,
            )


_NOT_ACCEPTABLE = RequestError(
    RequestErrorCode.NOT_ACCEPTABLE,
    "Answers are application/graphql-response+json or application/json",
    status=406,
)


def _require_json(headers: RequestHeaders) -> None:
    content_type = headers.get(b"content-type")
    if content_type is None or not is_json(content_type):
        raise RequestError(
            RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "The content-type must be application/json, in UTF-8",
            status=415,
        )
    if headers.get(b"content-encoding") not in {None, b"", b"identity"}:
        raise RequestError(
            RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
            "Compressed requests are not supported",
            status=415,
            headers=((b"accept-encoding", b"identity"),),
        )


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


def _too_large(limit: int) -> RequestError:
    # Without connection: close. Closing under a client that still sends would reset the connection,
    # and the client would never read why; the server skips the rest of the body.
    return RequestError(
        RequestErrorCode.PAYLOAD_TOO_LARGE,
        f"The body is larger than {limit} bytes",
        status=413,
    )


async def _send(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
