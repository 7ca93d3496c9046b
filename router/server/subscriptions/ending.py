"""Why the router itself ends a subscription that could go on, and what its client is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from router.executor.errors import ExecutionErrorCode

if TYPE_CHECKING:
    from router.executor.context import ErrorDict

__all__ = [
    "OVERFLOW",
    "SCHEMA_RELOADED",
    "SESSION_REVOKED",
    "STOPPING",
    "TOKEN_EXPIRED",
    "EndReason",
    "SubscriptionEndCode",
]


class SubscriptionEndCode(StrEnum):
    """``extensions.code`` of the error that ends a subscription; Apollo's router has the same codes
    for the same cases, the second and last are ours.
    """

    TOKEN_EXPIRED = "SUBSCRIPTION_JWT_EXPIRED"  # noqa: S105 - a code, not a secret
    SESSION_REVOKED = "SUBSCRIPTION_SESSION_REVOKED"
    SCHEMA_RELOADED = "SUBSCRIPTION_SCHEMA_RELOAD"
    STOPPING = "SUBSCRIPTION_SERVER_STOPPING"


@dataclass(frozen=True, slots=True)
class EndReason:
    """A reason; ``message`` is for clients, and for WebSocket's close frame."""

    code: str
    message: str

    def errors(self) -> list[ErrorDict]:
        """Return the reason as the errors of a GraphQL response."""
        return [{"message": self.message, "extensions": {"code": str(self.code)}}]


TOKEN_EXPIRED: Final = EndReason(SubscriptionEndCode.TOKEN_EXPIRED, "The access token has expired")
SESSION_REVOKED: Final = EndReason(
    SubscriptionEndCode.SESSION_REVOKED, "The session has been revoked"
)
SCHEMA_RELOADED: Final = EndReason(
    SubscriptionEndCode.SCHEMA_RELOADED, "The schema has changed; subscribe again"
)
STOPPING: Final = EndReason(SubscriptionEndCode.STOPPING, "The server is stopping; subscribe again")
OVERFLOW: Final = EndReason(
    ExecutionErrorCode.SUBSCRIPTION_OVERFLOW, "Too much waits to be sent; subscribe again"
)
