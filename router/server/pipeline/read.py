"""Stage 1, read: bytes or a query string into a GraphQL request, or a clear refusal.

Follows GraphQL over HTTP: ``query`` is required, ``operationName`` a string, ``variables`` and
``extensions`` maps; null counts as absent; unknown members are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from router.server.errors import RequestError, RequestErrorCode

__all__ = ["GraphQLRequest", "read_json", "read_members", "read_query_string"]

_MAX_QUERY_STRING_FIELDS = 32


@dataclass(slots=True)
class GraphQLRequest:
    """One GraphQL request, checked for shape only."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)


def read_json(body: bytes | bytearray) -> GraphQLRequest:
    """Read the body of a POST request."""
    if not body:
        raise _bad_request("The request has no body")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _bad_request(f"The body is not valid JSON: {error}") from None
    if isinstance(parsed, list):
        raise RequestError(
            RequestErrorCode.BATCHING_NOT_ENABLED, "Batches of operations are not enabled"
        )
    if not isinstance(parsed, dict):
        raise _bad_request("The body must be a JSON object")
    return read_members(parsed)


def read_query_string(query_string: bytes) -> GraphQLRequest:
    """Read the parameters of a GET request; ``variables`` and ``extensions`` are JSON in them."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_QUERY_STRING_FIELDS,
        )
    except ValueError:  # too many fields, or escapes that are not UTF-8
        raise _bad_request("The query string is malformed") from None
    members: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if members.get(name):
            try:
                members[name] = orjson.loads(members[name])
            except orjson.JSONDecodeError as error:
                raise _bad_request(f"Parameter '{name}' is not valid JSON: {error}") from None
        else:
            members.pop(name, None)
    return read_members(members)


def read_members(members: dict[str, Any]) -> GraphQLRequest:
    """Read a request's members, whichever way they came."""
    query = members.get("query")
    operation_name = members.get("operationName")
    variables = members.get("variables")
    extensions = members.get("extensions")
    if operation_name is not None and not isinstance(operation_name, str):
        raise _bad_request("'operationName' must be a string")
    if variables is not None and not isinstance(variables, dict):
        raise _bad_request("'variables' must be an object")
    if extensions is not None and not isinstance(extensions, dict):
        raise _bad_request("'extensions' must be an object")
    if query is None or query == "":
        raise _missing_query(extensions)
    if not isinstance(query, str):
        raise _bad_request("'query' must be a string")
    return GraphQLRequest(query, operation_name or None, variables or {}, extensions or {})


def _missing_query(extensions: dict[str, Any] | None) -> RequestError:
    if extensions and "persistedQuery" in extensions:
        # Clients with automatic persisted queries take this message as the sign to send whole texts
        # from now on.
        return RequestError(
            RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
            "PersistedQueryNotSupported",
            well_formed=True,
        )
    return _bad_request("'query' is missing")


def _bad_request(message: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_REQUEST, message)
