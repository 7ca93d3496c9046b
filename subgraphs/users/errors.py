"""Refusals of the users subgraph."""

from __future__ import annotations

from shared.auth import UnauthenticatedError
from shared.errors import ErrorCode, SocialnetError

__all__ = [
    "AccountInactiveError",
    "DeviceNotFoundError",
    "EmailPresentError",
    "OtpExpiredError",
    "OtpInvalidError",
    "OtpMaxAttemptsError",
    "PresenceUnavailableError",
    "RefreshTokenInvalidError",
    "RefreshTokenReusedError",
    "SessionExpiredError",
    "SessionNotFoundError",
    "UserBlockedError",
    "UserNotFoundError",
    "WrongCredentialsError",
    "WrongPasswordError",
]


class WrongCredentialsError(UnauthenticatedError):
    """Unknown e-mail or wrong password: the same answer, so that it does not tell which."""

    def __init__(self) -> None:
        super().__init__("The e-mail or the password is wrong.")


class AccountInactiveError(UnauthenticatedError):
    """The caller's account has been deactivated or deleted since the token was issued."""

    def __init__(self) -> None:
        super().__init__("This account is not in use any more.")


class UserNotFoundError(SocialnetError):
    """A mutation names a user that does not exist."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.NOT_FOUND, "There is no such user.")


class DeviceNotFoundError(SocialnetError):
    """A mutation names a device that is not one of the caller's."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.NOT_FOUND, "There is no such device.")


class SessionNotFoundError(SocialnetError):
    """A mutation names a session that is not an open one of the caller's."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.NOT_FOUND, "There is no such session.")


class RefreshTokenInvalidError(SocialnetError):
    """The refresh token is of no open session."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TOKEN_INVALID, "The refresh token is not valid. Sign in again.")


class RefreshTokenReusedError(SocialnetError):
    """The refresh token had been exchanged before: somebody else may have it."""

    def __init__(self) -> None:
        message = "The refresh token has been used before: its session has ended. Sign in again."
        super().__init__(ErrorCode.TOKEN_INVALID, message)


class SessionExpiredError(SocialnetError):
    """The refresh token was not used for too long."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.TOKEN_EXPIRED, "The session has expired. Sign in again.")


class PresenceUnavailableError(SocialnetError):
    """Who is online cannot be told or taken in for the moment, as Redis does not answer."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.INTERNAL_SERVER_ERROR,
            "Presence is unavailable at the moment. Try again.",
            {"retryable": True},
        )


class UserBlockedError(SocialnetError):
    """One of two users has blocked the other, so they cannot have this with each other."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.USER_BLOCKED, "One of you has blocked the other.")


class WrongPasswordError(SocialnetError):
    """A signed-in user has to prove who they are, and the password is wrong."""

    def __init__(self, *, field: str) -> None:
        super().__init__(ErrorCode.FORBIDDEN, "The password is wrong.", {"field": field})


class EmailPresentError(SocialnetError):
    """The account has an e-mail address: it is not replaced by who merely has a token."""

    def __init__(self) -> None:
        message = "This account has an e-mail address already."
        super().__init__(ErrorCode.CONFLICT, message, {"field": "email"})


class OtpInvalidError(SocialnetError):
    """The code is wrong."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.OTP_INVALID, "The code is wrong.")


class OtpExpiredError(SocialnetError):
    """There is no code to compare with: its time is over, it was used, or none was asked for."""

    def __init__(self) -> None:
        message = "This code has expired or has been used. Ask for a new one."
        super().__init__(ErrorCode.OTP_EXPIRED, message)


class OtpMaxAttemptsError(SocialnetError):
    """The code has been tried too often, and would not be accepted any more."""

    def __init__(self) -> None:
        message = "This code has been tried too often. Ask for a new one."
        super().__init__(ErrorCode.OTP_MAX_ATTEMPTS, message)
