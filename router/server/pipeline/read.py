"""Stage 1, read: bytes or a query string into a GraphQL request, or a clear refusal.

Follows GraphQL over HTTP: ``query`` is required unless the request names a document that the server
has, ``operationName`` is a string, ``variables`` and ``extensions`` are maps; null counts as
absent; unknown members are ignored.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from router.server.errors import RequestError, RequestErrorCode

__all__ = ["GraphQLRequest", "load_json", "read_json", "read_members", "read_query_string"]

_MAX_QUERY_STRING_FIELDS = 32
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MEMBERS = ("query", "operationName", "variables", "extensions", "documentId")
_QUOTED_MEMBERS = re.compile(b'"(?:%b)"' % "|".join(_MEMBERS).encode())
_PERSISTED_QUERY_VERSION = 1


@dataclass(slots=True)
class GraphQLRequest:
    """One GraphQL request, checked for shape only.

    At least one of ``query``, ``document_id`` (GraphQL over HTTP's ``documentId``) and ``digest``
    (Apollo's ``extensions.persistedQuery.sha256Hash``) is there; ``query`` and ``document_id``
    never are both. ``has_uploads`` says that there are files among the variables.
    """

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    digest: str | None = None
    has_uploads: bool = False


def load_json(body: bytes) -> Any:
    """Return a body's JSON: an object, or a list for a batch."""
    if not body:
        raise _bad_request("The request has no body")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if body.startswith(_BYTE_ORDER_MARK):  # RFC 8259, section 8.1: it may be ignored
            return load_json(body[len(_BYTE_ORDER_MARK) :])
        raise _bad_request(f"The body is not valid JSON: {error}") from None
    if isinstance(parsed, dict):
        _refuse_repeated_members(body)
    return parsed


def read_json(body: bytes) -> GraphQLRequest:
    """Read the body of a POST request that is no batch."""
    return read_members(load_json(body))


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
    names = [name for name, _ in pairs]
    for name in _MEMBERS:
        if names.count(name) > 1:
            raise _bad_request(f"Parameter '{name}' is given more than once")
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


def read_members(members: Any) -> GraphQLRequest:
    """Read a request's members, whichever way they came."""
    if not isinstance(members, dict):
        raise _bad_request("A GraphQL request must be a JSON object")
    query = _string(members, "query")
    document_id = _string(members, "documentId")
    variables = _map(members, "variables")
    extensions = _map(members, "extensions")
    digest = _digest(extensions) if "persistedQuery" in extensions else None
    if query is None and document_id is None and digest is None:
        raise _bad_request("'query' is missing")
    if document_id is not None and (query is not None or digest is not None):
        raise _bad_request("'documentId' stands in place of 'query' and 'persistedQuery'")
    operation_name = _string(members, "operationName")
    return GraphQLRequest(query, operation_name, variables, extensions, document_id, digest)


def _string(members: dict[str, Any], name: str) -> str | None:
    """Return a member that is a string; the empty one counts as absent."""
    value = members.get(name)
    if value is None or isinstance(value, str):
        return value or None
    raise _bad_request(f"'{name}' must be a string")


def _map(members: dict[str, Any], name: str) -> dict[str, Any]:
    value = members.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise _bad_request(f"'{name}' must be an object")


def _digest(extensions: dict[str, Any]) -> str | None:
    persisted = extensions["persistedQuery"]
    if persisted is None:
        return None
    if not isinstance(persisted, dict):
        raise _bad_request("'persistedQuery' must be an object")
    version, digest = persisted.get("version"), persisted.get("sha256Hash")
    if version != _PERSISTED_QUERY_VERSION or not isinstance(digest, str) or not digest:
        raise _bad_request("'persistedQuery' must have 'version' 1 and 'sha256Hash', a string")
    return digest


def _refuse_repeated_members(body: bytes) -> None:
    """Refuse an object that has one of a request's members twice: who looks at requests before us,
    a firewall or a proxy, may have seen the other one.

    Names that are repeated further inside concern their sender only, and the last one counts. For
    all but suspicious bodies this costs a look at the bytes.
    """
    found = _QUOTED_MEMBERS.findall(body)
    is_escaped = b"\\" in body and b"\\u00" in body  # a letter of a name may be
    if len(found) == len(set(found)) and not is_escaped:
        return
    names: list[str] = []

    def outermost(pairs: list[tuple[str, Any]]) -> None:
        names[:] = [name for name, _ in pairs]  # called for inner objects first

    try:
        json.loads(body, object_pairs_hook=outermost)
    except RecursionError:
        raise _bad_request("The body is nested too deeply") from None
    for name in _MEMBERS:
        if names.count(name) > 1:
            raise _bad_request(f"The body has the member '{name}' more than once")


def _bad_request(message: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_REQUEST, message)
