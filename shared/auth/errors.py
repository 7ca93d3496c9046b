"""Refusals about who is calling and what they may do; codes of the API's catalogue."""

from __future__ import annotations

from shared.errors import ErrorCode, SocialnetError

__all__ = [
    "ForbiddenError",
    "SigningKeysUnavailableError",
    "TokenExpiredError",
    "TokenInvalidError",
    "TokenRevokedError",
    "UnauthenticatedError",
]


class UnauthenticatedError(SocialnetError):
    """The operation needs a signed-in caller and the request has no token, or the credentials are
    wrong.
    """

    def __init__(self, message: str = "Sign in to do this.") -> None:
        super().__init__(ErrorCode.UNAUTHENTICATED, message)


class TokenExpiredError(SocialnetError):
    """The access token was good once; the client should refresh its session and try again."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TOKEN_EXPIRED, "The access token has expired.")


class TokenInvalidError(SocialnetError):
    """The access token is none of ours.

    Why is logged nowhere in the answer: it would only help a forger.
    """

    def __init__(self) -> None:
        super().__init__(ErrorCode.TOKEN_INVALID, "The access token is not valid.")


class TokenRevokedError(SocialnetError):
    """The access token would still be good, but its session has been ended."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.TOKEN_INVALID, "The session of this access token has ended. Sign in again."
        )


class ForbiddenError(SocialnetError):
    """The caller is known, and may not do this."""

    def __init__(self, message: str = "You may not do this.") -> None:
        super().__init__(ErrorCode.FORBIDDEN, message)


class SigningKeysUnavailableError(SocialnetError):
    """The keys that tokens are checked with cannot be had now.

    Not the caller's fault: trying again is right.
    """

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.INTERNAL_SERVER_ERROR,
            "Access tokens cannot be checked at the moment.",
            {"retryable": True},
        )
