"""GraphQL over HTTP: one request through the pipeline and its answer back, straight on ASGI.

Status and media type follow the GraphQL over HTTP specification
(https://graphql.github.io/graphql-over-http/). The hot path allocates little: one pass over the
headers, one look-up for the operation, one JSON dump.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import structlog

from router.server.csrf import require_preflight
from router.server.errors import RequestError, RequestErrorCode, internal_error
from router.server.hangup import ClientGoneError
from router.server.http.body import read_body, require_json
from router.server.http.runner import HttpOperation, OperationRunner
from router.server.limits.addresses import rate_key
from router.server.limits.rates.limiter import Caller
from router.server.negotiation import ResponseType, negotiate
from router.server.pipeline.read import GraphQLRequest, read_json, read_query_string
from router.server.pipeline.respond import encode, error_payload
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from router.server.access_log import AccessLog
    from router.server.generation import Generations
    from router.server.headers import RequestHeaders
    from router.server.limits.requests import RequestLimits
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["HttpEndpoint"]

_log = structlog.get_logger(__name__)

_ALLOW = (b"allow", b"GET, HEAD, POST, OPTIONS")
_NO_STORE = (b"cache-control", b"no-store")


class HttpEndpoint:
    """The GraphQL path over HTTP."""

    def __init__(
        self,
        generations: Generations,
        settings: RouterSettings,
        metrics: Metrics,
        access_log: AccessLog | None,
        *,
        limits: RequestLimits,
    ) -> None:
        self._rates = limits.rates
        self._runner = OperationRunner(generations, settings, limits.rates)
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
        operation = HttpOperation(headers, scope["method"])
        media_type = negotiate(headers.get(b"accept"))
        status, body = (
            499,
            b"",
        )  # what the access log says of a client that went away (nginx's number)
        try:
            status, body, extra = await self._answer(operation, media_type, scope, receive)
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
            operation.outcome = Outcome.CANCELLED
        finally:
            self._record(operation, scope, status, len(body))

    async def _answer(
        self,
        operation: HttpOperation,
        media_type: ResponseType | None,
        scope: Scope,
        receive: Receive,
    ) -> tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]:
        """Return status, body and further headers."""
        try:
            if media_type is None:
                raise _NOT_ACCEPTABLE.again()
            if self._rates is not None:
                operation.caller = Caller(rate_key(scope))
                operation.rate_headers += await self._rates.take_request(operation.caller)
            request = await self._read(scope, receive, operation.headers)
            payload = await self._runner.run(operation, request, receive)
            return 200, encode(payload), operation.rate_headers
        except RequestError as error:
            operation.outcome = Outcome.REFUSED
            refusal = error
        except ClientGoneError:
            raise
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered with its id only
            request_id = operation.headers.request_id
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
            require_json(headers)
            return read_json(await read_body(receive, headers, self._settings.max_body_bytes))
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

    def _record(self, operation: HttpOperation, scope: Scope, status: int, size: int) -> None:
        seconds = perf_counter() - operation.started
        prepared = operation.prepared
        if prepared is not None:
            prepared.metrics.record(operation.outcome, seconds)
        if self._access_log is not None:
            self._access_log.request(
                scope,
                request_id=operation.headers.request_id,
                status=status,
                seconds=seconds,
                size=size,
                operation=prepared,
                outcome=operation.outcome,
            )


_NOT_ACCEPTABLE = RequestError(
    RequestErrorCode.NOT_ACCEPTABLE,
    "Answers are application/graphql-response+json or application/json",
    status=406,
)


async def _send(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
