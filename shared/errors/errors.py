"""The base of all expected failures.

A ``SocialnetError`` is a refusal that the client may read: its message and extensions go into the
GraphQL answer as they are, so neither may hold SQL, hosts, paths or other people's data. Everything
else that is raised is a bug or an outage, is logged, and reaches the client as
``INTERNAL_SERVER_ERROR``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors.codes import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BadUserInputError", "OperatorError", "SocialnetError"]


class SocialnetError(Exception):
    """An expected failure with a code of the catalogue.

    ``extensions`` always holds ``code``; graphql-core copies the attribute of that name into the
    GraphQL error, so no translation is needed between a service and the client.
    """

    def __init__(
        self, code: ErrorCode, message: str, extensions: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.extensions: dict[str, object] = {**(extensions or {}), "code": code.value}


class BadUserInputError(SocialnetError):
    """Input that can never be accepted; ``field`` names the argument or input field at fault."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(ErrorCode.BAD_USER_INPUT, message, {"field": field})
        self.field = field


class OperatorError(Exception):
    """Something that only the operator can put right (settings, migrations, addresses).

    Raised at start or by an operator's command, never inside a request. The message is the whole
    explanation: commands print it without a traceback and exit with status 1.
    """
