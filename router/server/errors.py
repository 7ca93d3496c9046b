"""Request errors: what the server refuses before or instead of running an operation.

Every stage of the pipeline raises :class:`RequestError`; the transports turn it into an answer of
their protocol. Errors of fields while an operation runs are not raised, they are part of the
executor's result.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Header", "RequestError", "RequestErrorCode", "RouterConfigError", "internal_error"]

Header = tuple[bytes, bytes]

_MAX_MESSAGE = 1_000


class RequestErrorCode(StrEnum):
    """``extensions.code`` of the errors that the server itself makes.

    Where Apollo's router has a code for the case, ours is the same, so that people find it when
    they look it up.
    """

    AUTHENTICATION_UNAVAILABLE = "AUTHENTICATION_UNAVAILABLE"
    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BATCH_LIMIT_EXCEEDED = "BATCH_LIMIT_EXCEEDED"
    BATCHING_NOT_ENABLED = "BATCHING_NOT_ENABLED"
    COST_ESTIMATED_TOO_EXPENSIVE = "COST_ESTIMATED_TOO_EXPENSIVE"
    COST_QUERY_PARSE_FAILURE = "COST_QUERY_PARSE_FAILURE"
    CSRF_ERROR = "CSRF_ERROR"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - a code, not a secret
    MAX_ALIASES_LIMIT = "MAX_ALIASES_LIMIT"
    MAX_DEFINITIONS_LIMIT = "MAX_DEFINITIONS_LIMIT"
    MAX_DEPTH_LIMIT = "MAX_DEPTH_LIMIT"
    MAX_DIRECTIVES_LIMIT = "MAX_DIRECTIVES_LIMIT"
    MAX_FRAGMENT_DEPTH_LIMIT = "MAX_FRAGMENT_DEPTH_LIMIT"
    MAX_HEIGHT_LIMIT = "MAX_HEIGHT_LIMIT"
    MAX_INPUT_DEPTH_LIMIT = "MAX_INPUT_DEPTH_LIMIT"
    MAX_INPUT_VALUES_LIMIT = "MAX_INPUT_VALUES_LIMIT"
    MAX_LITERAL_VALUES_LIMIT = "MAX_LITERAL_VALUES_LIMIT"
    MAX_ROOT_FIELDS_LIMIT = "MAX_ROOT_FIELDS_LIMIT"
    MAX_VALIDATION_WORK_LIMIT = "MAX_VALIDATION_WORK_LIMIT"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    MULTIPART_MALFORMED = "MULTIPART_MALFORMED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    NOT_FOUND = "NOT_FOUND"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    PERSISTED_QUERY_HASH_MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_IN_LIST = "PERSISTED_QUERY_NOT_IN_LIST"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    POLICY_EVALUATION_FAILED = "POLICY_EVALUATION_FAILED"
    QUERY_NOT_IN_SAFELIST = "QUERY_NOT_IN_SAFELIST"
    RATE_LIMITED = "RATE_LIMITED"
    RATE_LIMIT_UNAVAILABLE = "RATE_LIMIT_UNAVAILABLE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a code, not a secret
    TOKEN_LIMIT_EXCEEDED = "TOKEN_LIMIT_EXCEEDED"  # noqa: S105 - a code, not a secret
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - a code, not a secret
    TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"
    TOO_MANY_OPERATIONS = "TOO_MANY_OPERATIONS"
    TOO_MANY_UPLOADS = "TOO_MANY_UPLOADS"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    UNAUTHORIZED_FIELD_OR_TYPE = "UNAUTHORIZED_FIELD_OR_TYPE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    UPLOAD_MAP_INVALID = "UPLOAD_MAP_INVALID"
    UPLOAD_MISSING = "UPLOAD_MISSING"
    UPLOAD_NOT_ALLOWED = "UPLOAD_NOT_ALLOWED"
    UPLOAD_TOO_LARGE = "UPLOAD_TOO_LARGE"


class RouterConfigError(Exception):
    """The router cannot start as it is configured; the text says what is wrong with what."""


class RequestError(Exception):
    """A request that is refused as a whole.

    Attributes:
        code: The code of every error in ``errors``.
        errors: GraphQL errors as they are sent: ``message``, perhaps ``locations``, and
            ``extensions.code``.
        status: The HTTP status of the answer in ``application/graphql-response+json``.
        well_formed: The request was a GraphQL request, only its document or variables were wrong.
            In ``application/json`` the answer then has status 200 (GraphQL over HTTP, section
            6.4.1).
        headers: Further HTTP response headers.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        well_formed: bool = False,
        errors: Sequence[dict[str, Any]] | None = None,
        headers: tuple[Header, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.well_formed = well_formed
        self.headers = headers
        self.errors: list[dict[str, Any]] = (
            [{"message": message, "extensions": {"code": str(code)}}]
            if errors is None
            else [_with_code(error, code) for error in errors]
        )

    def again(self) -> RequestError:
        """Return an equal error to raise once more: a raised exception collects tracebacks, a
        cached one may not.
        """
        return RequestError(
            self.code,
            str(self),
            status=self.status,
            well_formed=self.well_formed,
            errors=self.errors,
            headers=self.headers,
        )


def _with_code(error: dict[str, Any], code: str) -> dict[str, Any]:
    extensions = {"code": str(code), **(error.get("extensions") or {})}
    # graphql-core quotes wrong values whole, in each of their errors: a small request could make a
    # huge answer.
    message = error["message"]
    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]}…"
    return {**error, "message": message, "extensions": extensions}


def internal_error(request_id: str) -> RequestError:
    """Return what a client learns of an unexpected exception: that there was one, and where to ask
    about it.
    """
    code = RequestErrorCode.INTERNAL_SERVER_ERROR
    message = "Internal server error"
    error = {"message": message, "extensions": {"code": str(code), "requestId": request_id}}
    return RequestError(code, message, status=500, errors=[error])
