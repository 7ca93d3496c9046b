"""Every ``extensions.code`` that a client can meet: the contract of the API, in one place.

Codes are added, never renamed: clients branch on them.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ErrorCode"]


class ErrorCode(StrEnum):
    """The value of ``extensions.code`` in a GraphQL error."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    RATE_LIMITED = "RATE_LIMITED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 -- a code, not a secret
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 -- a code, not a secret
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_INVALID = "OTP_INVALID"
    OTP_MAX_ATTEMPTS = "OTP_MAX_ATTEMPTS"
    NOT_CHAT_MEMBER = "NOT_CHAT_MEMBER"
    NOT_ADMIN = "NOT_ADMIN"
    ALREADY_MEMBER = "ALREADY_MEMBER"
    USER_BLOCKED = "USER_BLOCKED"
    MEDIA_TOO_LARGE = "MEDIA_TOO_LARGE"
    MEDIA_INVALID_TYPE = "MEDIA_INVALID_TYPE"
    SHARD_UNAVAILABLE = "SHARD_UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
