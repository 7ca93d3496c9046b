"""Refusals of the users subgraph."""

from __future__ import annotations

from shared.auth import UnauthenticatedError
from shared.errors import ErrorCode, SocialnetError

__all__ = ["AccountInactiveError", "UserNotFoundError", "WrongCredentialsError"]


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
