"""Reads a subgraph's response: anything may come, a :class:`FetchOutcome` comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from router.executor.errors import ExecutionErrorCode
from router.executor.outcome import FetchFailure, FetchOutcome

if TYPE_CHECKING:
    from router.executor.context import Json
    from router.executor.transport.base import SubgraphResponse

__all__ = ["malformed", "read_payload", "read_response"]

_FIRST_ERROR_STATUS = 300


def read_response(response: SubgraphResponse) -> FetchOutcome:
    """Read an HTTP response. A GraphQL response counts whatever the status is."""
    try:
        payload = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return _failed(_no_graphql(response), response)
    if response.status >= _FIRST_ERROR_STATUS and not _is_graphql(payload):
        return _failed(_no_graphql(response), response)
    return read_payload(payload, response.status, response.headers)


def read_payload(
    payload: Json, status: int = 0, headers: tuple[tuple[str, str], ...] = ()
) -> FetchOutcome:
    """Read what should be a GraphQL response (specification, section 7.1)."""
    if not _is_graphql(payload):
        return malformed("The subgraph's answer is not a GraphQL response.", status)
    data, errors = payload.get("data"), payload.get("errors") or ()
    if data is None and not errors:
        return malformed("The subgraph answered with neither data nor errors.", status)
    extensions = payload.get("extensions")
    return FetchOutcome(data, tuple(errors), extensions, status=status, headers=headers)


def _is_graphql(payload: Json) -> bool:
    """Tell whether there are data or errors of the right kind, though maybe both are empty."""
    if not isinstance(payload, dict) or not ("data" in payload or payload.get("errors")):
        return False
    data, errors = payload.get("data"), payload.get("errors")
    return isinstance(data, dict | None) and isinstance(errors, list | None)


def _failed(failure: FetchFailure, response: SubgraphResponse) -> FetchOutcome:
    return FetchOutcome(failure=failure, status=response.status, headers=response.headers)


def _no_graphql(response: SubgraphResponse) -> FetchFailure:
    if response.status >= _FIRST_ERROR_STATUS:
        return FetchFailure(
            ExecutionErrorCode.SUBREQUEST_HTTP_ERROR,
            f"The subgraph answered with HTTP status {response.status}.",
            {"http": {"status": response.status}},
        )
    return FetchFailure(
        ExecutionErrorCode.SUBREQUEST_MALFORMED_RESPONSE, "The subgraph's answer is not JSON."
    )


def malformed(message: str, status: int = 0) -> FetchOutcome:
    """Return the outcome of a fetch whose answer cannot be used."""
    code = ExecutionErrorCode.SUBREQUEST_MALFORMED_RESPONSE
    return FetchOutcome(failure=FetchFailure(code, message), status=status)
