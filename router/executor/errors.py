"""The executor's error codes and exceptions.

Codes reach clients in ``extensions.code``. Exceptions never do: each is either turned into a
GraphQL error where the fetch is made, or means a defect (:class:`ProgramError`) that must not be
papered over.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ExecutionErrorCode", "ProgramError"]


class ExecutionErrorCode(StrEnum):
    """Codes the executor itself gives to errors."""

    DOWNSTREAM_SERVICE_ERROR = "DOWNSTREAM_SERVICE_ERROR"
    """A subgraph reported an error without a code of its own."""
    SUBREQUEST_HTTP_ERROR = "SUBREQUEST_HTTP_ERROR"
    """A subgraph was not reached, or gave an HTTP error status and no GraphQL response."""
    SUBREQUEST_MALFORMED_RESPONSE = "SUBREQUEST_MALFORMED_RESPONSE"
    """A subgraph's answer is no GraphQL response, or does not have the shape that was asked for."""
    SUBGRAPH_TIMEOUT = "SUBGRAPH_TIMEOUT"
    """A subgraph did not answer in time, or the request's deadline passed."""
    SUBGRAPH_CIRCUIT_OPEN = "SUBGRAPH_CIRCUIT_OPEN"
    """A subgraph was not asked: it has failed too often just now."""
    SUBGRAPH_OVERLOADED = "SUBGRAPH_OVERLOADED"
    """A subgraph was not asked: too many requests already wait for a connection to it."""
    SUBGRAPH_RESPONSE_TOO_LARGE = "SUBGRAPH_RESPONSE_TOO_LARGE"
    """A subgraph's answer is over the limit, as it came or decompressed."""
    SUBSCRIPTION_CONNECTION_LOST = "SUBSCRIPTION_CONNECTION_LOST"
    """The connection that carried a subscription's events ended before the subscription did."""
    SUBSCRIPTION_REFUSED = "SUBSCRIPTION_REFUSED"
    """A subgraph did not accept the subscription or the connection for it."""
    SUBSCRIPTION_GAP = "SUBSCRIPTION_GAP"
    """The connection was lost and is there again; events in between may be missing."""
    SUBSCRIPTION_OVERFLOW = "SUBSCRIPTION_OVERFLOW"
    """Events came faster than the client took them, for longer than the buffer lasts."""
    UNAUTHORIZED_FIELD_OR_TYPE = "UNAUTHORIZED_FIELD_OR_TYPE"
    """The caller may not see the field, so no subgraph was asked for it."""
    NON_NULL_VIOLATION = "NON_NULL_VIOLATION"
    """A field that cannot be null has no value, though no subgraph reported an error."""


class ProgramError(Exception):
    """A plan that no program can be made of: a defect of planner or executor, not a request's."""
