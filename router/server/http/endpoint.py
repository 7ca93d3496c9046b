"""GraphQL over HTTP: one request through the pipeline and its answer back, straight on ASGI.

Status and media type follow the GraphQL over HTTP specification
(https://graphql.github.io/graphql-over-http/). The hot path allocates little: one pass over the
headers, one look-up for the operation, one JSON dump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from router.server.csrf import require_preflight
from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import ClientGoneError
from router.server.http.batch import read_batch
from router.server.http.body import in_time, read_body, require_json
from router.server.http.compression import choose_coding, compress
from router.server.http.form import FormReader, is_form
from router.server.http.runner import HttpOperation, OperationRunner
from router.server.http.stream_format import whole
from router.server.http.streams import StreamChannel, SubscriptionStreams
from router.server.limits.addresses import rate_key
from router.server.limits.rates.limiter import Caller
from router.server.negotiation import (
    ResponseType,
    StreamType,
    accepts_parts,
    negotiate,
    negotiate_stream,
)
from router.server.pipeline.read import load_json, read_members, read_query_string
from router.server.pipeline.respond import encode, error_payload
from router.server.telemetry import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from router.server.access.authenticator import Authenticator
    from router.server.access_log import AccessLog
    from router.server.errors import Header
    from router.server.generation import Generations
    from router.server.headers import RequestHeaders
    from router.server.http.compression import Coding
    from router.server.limits.requests import RequestLimits
    from router.server.pipeline.identify import DocumentFinder
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings
    from router.server.subscriptions.session import Sessions
    from router.server.telemetry import Metrics

__all__ = ["HttpEndpoint"]

_ALLOW = (b"allow", b"GET, HEAD, POST, OPTIONS")
_NO_STORE = (b"cache-control", b"no-store")
_CLIENT_GONE = 499  # what the access log says of a client that went away: nginx's number


class HttpEndpoint:
    """The GraphQL path over HTTP."""

    def __init__(
        self,
        generations: Generations,
        settings: RouterSettings,
        metrics: Metrics,
        documents: DocumentFinder,
        sessions: Sessions,
        access_log: AccessLog | None,
        *,
        limits: RequestLimits,
        authenticator: Authenticator | None = None,
    ) -> None:
        self._rates = limits.rates
        self._streams = SubscriptionStreams(settings, metrics, limits, sessions)
        self._runner = OperationRunner(
            generations, settings, metrics, documents, limits.rates, self._streams
        )
        self._settings = settings
        self._access_log = access_log
        self._compress_from = settings.compression_min_bytes if settings.compression else None
        self._vary = (b"vary", b"accept, accept-encoding" if settings.compression else b"accept")
        self._authenticator = authenticator

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, headers: RequestHeaders
    ) -> None:
        """Answer one HTTP request; never raises for what a client sent."""
        if scope["method"] == "OPTIONS":
            await _send(send, 204, b"", (_ALLOW,))
            return
        exchange = _Exchange(HttpOperation(headers, scope["method"]))
        status, size = _CLIENT_GONE, 0
        try:
            answer = await self._answer(exchange, StreamChannel(scope, receive, send))
            status, size = answer.status, answer.size
            if answer.body is not None:
                size = await self._send(answer, headers, scope, send)
        except ClientGoneError:
            exchange.whole.outcome = Outcome.CANCELLED
            for operation in exchange.batch:
                operation.outcome = Outcome.CANCELLED
        finally:
            if exchange.form is not None:
                exchange.form.close()
            self._record(exchange, scope, status, size)

    def drain(self) -> None:
        """End the subscriptions; other requests go on."""
        self._streams.drain()

    async def _answer(self, exchange: _Exchange, channel: StreamChannel) -> _Answer:
        operation = exchange.whole
        accept = operation.headers.get(b"accept")
        media_type = negotiate(accept)
        # A client that takes nothing else gets everything as a stream, also what has one result.
        stream_type = negotiate_stream(accept) if media_type is None else None
        if media_type is None and stream_type is None and accepts_parts(accept):
            media_type = ResponseType.JSON  # where nothing is deferred
        try:
            if media_type is None and stream_type is None:
                raise _NOT_ACCEPTABLE.again()
            await self._identify(operation, channel.scope)
            request = await self._read(exchange, channel)
            if stream_type is not None and isinstance(request, list):
                raise _NO_BATCH_IN_STREAM.again()
            payload = await self._run(exchange, request, channel)
            if isinstance(payload, int):
                return _Answer(200, size=payload)
            return _answer(200, encode(payload), media_type or stream_type, operation.rate_headers)
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the last resort: logged and masked
            refusal = self._runner.refuse(operation, error)
        body = encode(error_payload(refusal))
        if refusal.well_formed and media_type is not ResponseType.GRAPHQL_RESPONSE:
            return _answer(200, body, media_type or stream_type, refusal.headers)
        return _answer(refusal.status, body, media_type, refusal.headers)

    async def _send(
        self, answer: _Answer, headers: RequestHeaders, scope: Scope, send: Send
    ) -> int:
        """Send an answer that is complete; returns the size of its body."""
        body, extra = answer.body or b"", answer.headers
        coding = None if answer.is_stream else self._coding(headers, len(body))
        if coding is not None:
            body = await compress(body, coding)
            extra = (*extra, (b"content-encoding", coding.value))
        await _send(
            send,
            answer.status,
            b"" if scope["method"] == "HEAD" else body,
            (
                (b"content-type", answer.content_type),
                (b"content-length", b"%d" % len(body)),
                (b"x-request-id", headers.request_id.encode("latin-1")),
                _NO_STORE,
                self._vary,
                *extra,
            ),
        )
        return len(body)

    async def _identify(self, operation: HttpOperation, scope: Scope) -> None:
        """Find out who asks, and whether they may ask now; a refused token counts as well."""
        address = rate_key(scope) if self._rates is not None else ""
        try:
            if self._authenticator is not None:
                await self._authenticator.identify(operation.headers)
        except RequestError:
            if self._rates is not None:
                operation.rate_headers += await self._rates.take_request(Caller(address))
            raise
        if self._rates is not None:
            identity = operation.headers.identity
            operation.caller = Caller(address, None if identity is None else identity.user)
            operation.rate_headers += await self._rates.take_request(operation.caller)

    async def _read(
        self, exchange: _Exchange, channel: StreamChannel
    ) -> GraphQLRequest | list[GraphQLRequest | RequestError]:
        headers, method = exchange.whole.headers, exchange.whole.method
        if method == "POST":
            if self._settings.uploads and is_form(headers.get(b"content-type")):
                return await self._read_form(exchange, channel.receive)
            require_json(headers)
            parsed = load_json(await read_body(channel.receive, headers, self._settings))
            if isinstance(parsed, list):
                return read_batch(parsed, self._settings)
            return read_members(parsed)
        if method in {"GET", "HEAD"}:
            if self._settings.csrf_prevention:
                require_preflight(headers)
            return read_query_string(channel.scope["query_string"])
        raise RequestError(
            RequestErrorCode.METHOD_NOT_ALLOWED,
            "GraphQL requests are made with GET or POST",
            status=405,
            headers=(_ALLOW,),
        )

    async def _read_form(self, exchange: _Exchange, receive: Receive) -> GraphQLRequest:
        headers = exchange.whole.headers
        if self._settings.csrf_prevention:
            require_preflight(headers)
        exchange.form = FormReader(self._settings)
        async with in_time(self._settings.upload_timeout):
            return await exchange.form.read(receive, headers)

    async def _run(
        self,
        exchange: _Exchange,
        request: GraphQLRequest | list[GraphQLRequest | RequestError],
        channel: StreamChannel,
    ) -> dict[str, Any] | list[dict[str, Any]] | int:
        operation = exchange.whole
        if not isinstance(request, list):
            return await self._runner.run(operation, request, channel)
        if self._rates is not None and operation.caller is not None and len(request) > 1:
            # The first operation's token was taken before the body was read.
            operation.rate_headers = await self._rates.take_request(
                operation.caller, len(request) - 1
            )
        exchange.batch = [operation.another() for _ in request]
        payloads = await self._runner.run_batch(exchange.batch, request, channel.receive)
        outcomes = {one.outcome for one in exchange.batch}
        operation.outcome = Outcome.OK if outcomes == {Outcome.OK} else Outcome.ERRORS
        return payloads

    def _coding(self, headers: RequestHeaders, size: int) -> Coding | None:
        if self._compress_from is None or size < self._compress_from:
            return None
        return choose_coding(headers.get(b"accept-encoding"))

    def _record(self, exchange: _Exchange, scope: Scope, status: int, size: int) -> None:
        operation = exchange.whole
        seconds = operation.record()
        for one in exchange.batch:
            one.record()
        if self._access_log is not None:
            self._access_log.request(
                scope,
                request_id=operation.headers.request_id,
                status=status,
                seconds=seconds,
                size=size,
                operation=operation.prepared,
                outcome=operation.outcome,
            )


class _Exchange:
    """One HTTP request while it is answered. ``whole`` is its operation, or of a batch only what
    concerns all of it.
    """

    __slots__ = ("batch", "form", "whole")

    def __init__(self, whole: HttpOperation) -> None:
        self.whole = whole
        self.batch: Sequence[HttpOperation] = ()
        self.form: FormReader | None = None  # has files until the answer is sent


class _Answer(NamedTuple):
    """The answer of a request. Without a ``body`` it has been sent already, as a stream of ``size``
    bytes.
    """

    status: int
    body: bytes | None = None
    content_type: bytes = b""
    headers: Sequence[Header] = ()
    is_stream: bool = False
    size: int = 0


def _answer(
    status: int, body: bytes, kind: ResponseType | StreamType | None, headers: Sequence[Header]
) -> _Answer:
    """Return an answer that is complete; in JSON where the client takes nothing that we have."""
    if isinstance(kind, StreamType):
        return _Answer(status, whole(kind, body), kind.value, headers, is_stream=True)
    return _Answer(status, body, (kind or ResponseType.JSON).value, headers)


_NOT_ACCEPTABLE = RequestError(
    RequestErrorCode.NOT_ACCEPTABLE,
    "Answers are application/graphql-response+json, application/json, text/event-stream or"
    " multipart/mixed with subscriptionSpec=1.0 or deferSpec=20220824",
    status=406,
)


_NO_BATCH_IN_STREAM = RequestError(
    RequestErrorCode.NOT_ACCEPTABLE, "Streams are no answers of batches", status=406
)


async def _send(send: Send, status: int, body: bytes, headers: Sequence[Header]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
